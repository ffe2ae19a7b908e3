/* What comes before an edit: the live figures of an intent, the grids that are chosen, the tool in hand. */
(() => {
  "use strict";

  const { grids } = window.pingji;
  const { state, tell } = grids;
  const PREVIEW_MS = 120;

  /* ── Preview ─────────────────────────────────────────────────────────── */

  let wanted = null; // the newest intent that was not asked yet
  let asking = false;
  let timer = 0;
  let round = 0;

  grids.preview = (intent) => {
    if (!intent) return clearPreview();
    if (!state.set || !grids.editable()) return;
    wanted = intent;
    if (!asking && !timer) timer = setTimeout(askPreview, PREVIEW_MS);
  };

  function clearPreview() {
    clearTimeout(timer);
    timer = 0;
    wanted = null;
    round += 1;
    if (!state.preview) return;
    state.preview = null;
    tell("preview", {});
  }

  const refusedPreview = (problem) => ({ refusal: grids.sentence(problem), error: { problem } });

  async function askPreview() {
    timer = 0;
    const intent = wanted;
    const mine = round;
    wanted = null;
    asking = true;
    let found;
    try {
      const path = `/grids/sets/${encodeURIComponent(state.set.id)}/preview`;
      found = await grids.ask("POST", path, { community: state.community.code, intent });
      if (found.refused) found = refusedPreview(found.refused);
    } catch (error) {
      found = { refusal: error.message, error };
    }
    asking = false;
    if (mine === round) {
      state.preview = found;
      tell("preview", {});
    }
    if (wanted) timer = setTimeout(askPreview, PREVIEW_MS);
  }

  /* ── Selecting ───────────────────────────────────────────────────────── */

  grids.select = (codes, { add = false, zoom = false } = {}) => {
    if (!add) state.selected.clear();
    for (const code of codes) if (state.grids.has(code)) state.selected.add(code);
    tell("selection", {});
    if (zoom && codes.length) grids.zoomTo(codes);
  };

  grids.toggle = (code) => {
    state.selected.has(code) ? state.selected.delete(code) : state.selected.add(code);
    tell("selection", {});
  };

  grids.setTool = (name) => {
    if (state.tool === name) return;
    state.tool = name;
    clearPreview();
    tell("tool", {});
  };
})();

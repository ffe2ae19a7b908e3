/* Proposals: how many households a grid should have, the candidates with their scores, and accepting one, whole or in part. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number } = pingji;
  const { grids } = pingji;
  const { parts } = grids;
  const SHARES = ["in_range", "balance", "compactness", "on_roads"]; // 0 to 1, more is better
  const [LOW, HIGH] = [300, 500];
  let slot = null;
  let running = null; // {abort, share, step}
  let proposal = null; // the last one of this community
  let looked = null; // index of the candidate on the map
  let picked = null; // Set of grid indices, null: all of them
  let failure = "";
  let size = { low: LOW, high: HIGH };

  let pointed = null; // index of the candidate under the pointer: on the map only, cards must not move under it

  const candidate = (index = looked) => proposal?.candidates.find((one) => one.index === index) || null;

  /* ── Asking ──────────────────────────────────────────────────────────── */

  /** The lines of a stream of JSON, one after the other. */
  async function* linesOf(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      const all = (rest + (value || "")).split("\n");
      rest = done ? "" : all.pop();
      for (const line of all) if (line.trim()) yield JSON.parse(line);
      if (done) return;
    }
  }

  async function start(form) {
    const values = Object.fromEntries(new FormData(form));
    size = { low: Number(values.low), high: Number(values.high) };
    failure = size.low < 1 || size.low > size.high ? t("grids.proposal.range_wrong") : "";
    if (failure || running) return paint();
    const { community, set } = grids.state;
    const mine = (running = { abort: new AbortController(), share: 0, step: "", community: community.code });
    forget();
    paint();
    try {
      await follow(mine, { community: community.code, ...(set ? { set: set.id } : {}), ...size });
    } catch (error) {
      if (mine === running && !mine.abort.signal.aborted) failure = error.told || t("grids.error.network");
    }
    if (mine === running) running = null;
    paint();
  }

  async function follow(mine, body) {
    const response = await fetch("/api/v1/grids/proposals", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: mine.abort.signal });
    if (!response.ok) throw Object.assign(new Error(), { told: refusal(await response.json().catch(() => ({}))) });
    for await (const line of linesOf(response)) {
      if (line.problem) throw Object.assign(new Error(), { told: refusal(line.problem) });
      if (line.proposal && grids.state.community?.code === mine.community) proposal = line.proposal;
      if (line.progress !== undefined) progress(mine, line);
    }
    if (proposal?.candidates.length) look(proposal.candidates[0].index);
  }

  const refusal = (problem) => (pingji.language === "en" && problem.detail_en) || problem.detail || t("grids.error.network");

  function cancel() {
    running?.abort.abort();
    running = null;
    paint();
  }

  /* ── The map ─────────────────────────────────────────────────────────── */

  /** Shows a candidate's grids on the map, the picked ones filled. */
  function look(index) {
    if (looked !== index) picked = null;
    [looked, pointed] = [index, null];
    repaintMap();
    paint();
  }

  let preview = null; // Leaflet layer
  let renderer = null;
  const nameOf = ({ code, index }) => (code ? parts.label(code) : String(index + 1));

  let away = false; // another panel is open: what is only proposed must not cover today's grids

  function repaintMap() {
    const L = window.L;
    preview?.remove();
    preview = null;
    const shown = candidate(pointed ?? looked);
    if (away || !shown || !grids.view) return;
    const isPicked = (index) => shown.index !== looked || isChosen(index);
    const { map } = grids.view;
    const [ink, paper] = ["--ink", "--panel"].map((name) => getComputedStyle(document.body).getPropertyValue(name).trim());
    if (!map.getPane("gp-proposal")) map.createPane("gp-proposal").style.zIndex = 480; // over today's grids and their names
    const features = shown.grids.features.map((feature, index) => ({ ...feature, properties: { ...feature.properties, index } }));
    preview = L.geoJSON({ type: "FeatureCollection", features }, {
      pane: "gp-proposal",
      renderer: (renderer = renderer || L.svg({ padding: 0.3, pane: "gp-proposal" })),
      style: ({ properties }) => ({ color: ink, weight: isPicked(properties.index) ? 2.6 : 1, dashArray: isPicked(properties.index) ? null : "4 4", fillColor: paper, fillOpacity: isPicked(properties.index) ? 0.72 : 0.2 }),
      onEachFeature: ({ properties }, layer) => {
        layer.on("click", (event) => (L.DomEvent.stop(event), shown.index === looked && pick(properties.index)));
        const words = make("span", "", make("b", "", nameOf(properties)), t("grids.proposal.households", { n: number(properties.households) }));
        layer.bindTooltip(words, { direction: "center", className: "gp-map-label", permanent: features.length <= 60 });
      },
    }).addTo(map);
  }

  const isChosen = (index) => !picked || picked.has(index);

  function point(index) {
    pointed = index;
    repaintMap();
  }

  function pick(index) {
    const shown = candidate();
    picked = picked || new Set(shown.grids.features.keys());
    picked.has(index) ? picked.delete(index) : picked.add(index);
    if (picked.size === shown.grids.features.length) picked = null;
    repaintMap();
    paint();
  }

  /* ── Accepting ───────────────────────────────────────────────────────── */

  async function accept(one) {
    const chosen = picked ? [...picked].sort((a, b) => a - b) : null;
    const answer = await grids.act({ kind: "proposal", proposal: proposal.id, candidate: one.index, grids: chosen });
    if (!answer) return;
    forget();
    paint();
    grids.panel("sets").show();
    parts.say(t("grids.proposal.accepted", { n: number(chosen ? chosen.length : one.grids.features.length) }), t("grids.problem.undo"), () => grids.undo());
  }

  function forget() {
    [proposal, looked, pointed, picked, failure] = [null, null, null, null, ""];
    repaintMap();
  }

  /* ── The panel ───────────────────────────────────────────────────────── */

  function scoreRow(name, value, bar) {
    const row = make("div", "gp-score", make("span", "gp-score-name", t(`grids.proposal.score_${name}`)));
    if (bar) {
      const fill = make("i", "");
      fill.style.width = `${Math.round(100 * Math.max(0, Math.min(1, value)))}%`;
      row.append(make("span", "gp-score-bar", fill), make("b", "", `${Math.round(100 * value)}%`));
    } else row.append(make("span", ""), make("b", "", number(value)));
    return row;
  }

  /** A share of the grids in range, whether it comes as a share or as a count. */
  function card(one, n) {
    const { scores } = one;
    const title = parts.button("gp-card-title", "", () => look(one.index));
    title.append(make("b", "", t("grids.proposal.candidate", { n })), make("span", "", t("grids.proposal.grids", { n: number(scores.grids) })));
    title.setAttribute("aria-pressed", String(one.index === looked));
    const figures = make("div", "gp-scores", ...SHARES.map((name) => scoreRow(name, scores[name] ?? 0, true)), scoreRow("change", scores.change ?? 0, true), scoreRow("crossings", scores.crossings ?? 0, false));
    const notes = (one.notes || []).map((note) => make("p", "gp-card-note", (pingji.language === "en" && note.text_en) || note.text));
    const node = make("article", "gp-card", title, figures, ...notes);
    node.dataset.looked = String(one.index === looked);
    node.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && one.index !== looked && point(one.index));
    node.addEventListener("pointerleave", () => pointed !== null && point(null));
    if (one.index === looked) node.append(chooser(one), acceptRow(one));
    return node;
  }

  function chooser(one) {
    const boxes = one.grids.features.map((feature, index) => {
      const box = Object.assign(make("input"), { type: "checkbox", checked: isChosen(index) });
      box.addEventListener("change", () => pick(index));
      const light = make("span", "", t("grids.proposal.households", { n: number(feature.properties.households) }));
      return make("label", "gp-pick", box, make("b", "", nameOf({ ...feature.properties, index })), light);
    });
    const details = make("details", "gp-chooser", make("summary", "", t("grids.proposal.choose", { n: number(picked ? picked.size : boxes.length), of: number(boxes.length) })), make("div", "gp-picks", ...boxes));
    details.open = chooserOpen;
    details.addEventListener("toggle", () => (chooserOpen = details.open));
    return details;
  }

  let chooserOpen = false;

  function acceptRow(one) {
    const n = picked ? picked.size : one.grids.features.length;
    const why = n === 0 ? t("grids.proposal.none_picked") : grids.whyNot();
    const text = picked ? t("grids.proposal.accept_some", { n: number(n) }) : t("grids.proposal.accept_all");
    return make("div", "gp-actions", parts.button("button-key", text, () => accept(one), why), parts.button("gp-link", t("grids.proposal.put_away"), () => (forget(), paint())));
  }

  function request() {
    const form = make("form", "gp-request");
    const limit = { type: "number", min: 1, max: 5000, step: 1, required: true, inputMode: "numeric" };
    form.append(
      parts.field(t("grids.proposal.low"), parts.input("low", size.low, limit)),
      parts.field(t("grids.proposal.high"), parts.input("high", size.high, limit)),
      Object.assign(make("button", "button-key", t("grids.proposal.start")), { type: "submit", disabled: Boolean(running) || !grids.state.community || grids.state.readOnly }),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      start(form);
    });
    return form;
  }

  function progressBox() {
    const bar = make("div", "gp-progress", make("i"));
    bar.setAttribute("role", "progressbar");
    bar.setAttribute("aria-label", t("grids.proposal.title"));
    const box = make("div", "gp-running", make("p", "gp-running-step"), bar, parts.button("button-quiet", t("grids.proposal.cancel"), cancel));
    showProgress(box);
    return box;
  }

  function showProgress(box) {
    const share = Math.round(100 * running.share);
    const step = running.step && pingji.has(`grids.proposal.step_${running.step}`) ? t(`grids.proposal.step_${running.step}`) : t("grids.proposal.working");
    pingji.setText(box.querySelector("p"), t("grids.proposal.progress", { step, share }));
    box.querySelector(".gp-progress").setAttribute("aria-valuenow", String(share));
    box.querySelector("i").style.width = `${share}%`;
  }

  function progress(mine, line) {
    Object.assign(mine, { share: line.progress, step: line.step || mine.step });
    const box = slot.querySelector(".gp-running");
    if (mine === running && box) showProgress(box);
  }

  function paint() {
    if (!slot) return;
    const nodes = [make("p", "gp-note", t("grids.proposal.what")), request()];
    if (running) nodes.push(progressBox());
    if (failure) nodes.push(parts.notice("wrong", failure));
    if (proposal) nodes.push(...proposal.candidates.map((one, i) => card(one, i + 1)));
    if (proposal && !proposal.candidates.length) nodes.push(parts.empty(t("grids.proposal.no_candidates")));
    const focus = document.activeElement?.name;
    slot.replaceChildren(...nodes);
    if (focus && slot.querySelector(`[name="${focus}"]`)) slot.querySelector(`[name="${focus}"]`).focus();
  }

  function communityChanged(state, detail) {
    if (detail?.moved) {
      running?.abort.abort();
      running = null;
      forget();
    }
    paint();
  }

  parts.whenDrawn("grids-proposals", (found) => {
    slot = found;
    grids.on("community", communityChanged);
    grids.on("set", paint);
    grids.on("tab", (_, name) => {
      away = name !== "proposals";
      repaintMap();
    });
    paint();
  });
})();

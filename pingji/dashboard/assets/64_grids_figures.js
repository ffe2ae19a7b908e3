/* The live figures at the workbench's foot: of what is being drawn, else of what is chosen, else of the whole community. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { grids } = pingji;
  const { state } = grids;
  const CARD_PX = 275;
  const SAME_M2 = 0.5; // what rounding may do to an area
  const NOTHING = { households: 0, residents: 0, party_households: 0, area_m2: 0 };

  const t = (key, params) => pingji.t(key, params);

  /* ── Words ───────────────────────────────────────────────────────────── */

  /** An area as the field writes it: hectares, square kilometres from a hundred on. */
  grids.areaText = (m2) => {
    if (typeof m2 !== "number") return "—";
    const hectares = m2 / 10000;
    if (hectares >= 100) return t("grids.unit.km2", { n: (hectares / 100).toFixed(2) });
    return t("grids.unit.ha", { n: hectares.toFixed(hectares < 10 ? 2 : 1) });
  };

  /** The size light: a mark that differs in shape, and its word. */
  grids.light = (light) => {
    const mark = pingji.make("span", "grids-light");
    mark.dataset.light = light;
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", t(`grids.light.${light}`));
    mark.title = t(`grids.light.${light}`);
    return mark;
  };

  const figure = (label, value, change) => {
    const { make } = pingji;
    const row = make("span", "grids-figure", make("b", "", value), make("i", "", label));
    if (change) row.append(make("em", "", pingji.signed(change)));
    return row;
  };

  function figuresOf(now, before) {
    const n = pingji.number;
    const change = (name) => (before ? now[name] - before[name] : 0);
    return [
      figure(t("grids.figure.households"), n(now.households), change("households")),
      figure(t("grids.figure.residents"), n(now.residents), change("residents")),
      figure(t("grids.figure.party_households"), n(now.party_households), change("party_households")),
      figure(t("grids.figure.area"), grids.areaText(now.area_m2), 0),
    ];
  }

  /* ── What is shown ───────────────────────────────────────────────────── */

  /** One grid of a preview: what it would be, and how much that differs from what it is. */
  function cardOf(feature) {
    const { make } = pingji;
    const now = feature.properties;
    const before = state.grids.get(String(feature.id))?.properties;
    const title = make("span", "grids-card-title", grids.light(now.light), make("b", "", grids.codeText(String(feature.id))), make("i", "", t(`grids.light.${now.light}`)));
    return make("div", "grids-card", title, ...figuresOf(now, before));
  }

  /** The grids that an answer really changes: a neighbour that only got a vertex on its border is as large as before. */
  grids.altered = (features) => features.filter(({ id, properties }) => {
    const before = state.grids.get(String(id))?.properties;
    return !before || before.households !== properties.households || Math.abs(before.area_m2 - properties.area_m2) > SAME_M2;
  });

  function previewCards({ changed, removed }) {
    const { make } = pingji;
    const altered = grids.altered(changed.features);
    const room = Math.max(1, Math.floor(document.querySelector('[data-slot="grids-figures"]').clientWidth / CARD_PX));
    const cards = altered.slice(0, room).map(cardOf);
    const more = altered.length - cards.length;
    if (more > 0) cards.push(make("span", "grids-more", t("grids.figures.more", { n: pingji.number(more) })));
    const gone = removed.slice(0, 4).map(grids.codeText).join(t("map.list_separator"));
    if (gone) cards.push(make("span", "grids-more", t("grids.figures.ended", { codes: gone })));
    return cards.length ? cards : [make("span", "grids-more", t("grids.figures.unchanged"))];
  }

  /** The sum of the chosen grids. */
  function sumOf(codes) {
    const sum = { ...NOTHING };
    for (const code of codes) for (const name of Object.keys(sum)) sum[name] += state.grids.get(code)?.properties[name] ?? 0;
    return sum;
  }

  function chosenCard() {
    const { make } = pingji;
    const codes = [...state.selected];
    if (codes.length === 1) return cardOf(state.grids.get(codes[0]));
    const title = make("span", "grids-card-title", make("b", "", t("grids.figures.chosen", { n: pingji.number(codes.length) })));
    return make("div", "grids-card", title, ...figuresOf(sumOf(codes)));
  }

  function wholeCard() {
    const { make, number } = pingji;
    const { totals } = state;
    const title = make("span", "grids-card-title", make("b", "", t("grids.figures.whole")));
    const share = figure(t("grids.figure.in_range"), `${number(totals.in_range)} / ${number(totals.grids)}`);
    return make("div", "grids-card", title, share, ...figuresOf(totals));
  }

  /** What the server would say to the drawing as it is now: seen before anything is sent. */
  function refusalCard({ refusal }) {
    const { make } = pingji;
    return make("div", "grids-card is-refusal", make("span", "", t("grids.figures.not_yet")), make("span", "", refusal));
  }

  function cards() {
    if (!state.community || !state.totals) return [];
    if (state.preview?.refusal) return [refusalCard(state.preview)];
    if (state.preview?.changed) return previewCards(state.preview);
    return [state.selected.size ? chosenCard() : wholeCard()];
  }

  let due = 0;
  function paint() {
    due = due || requestAnimationFrame(() => {
      due = 0;
      const slot = document.querySelector('[data-slot="grids-figures"]');
      if (!slot) return;
      slot.dataset.of = state.preview ? "preview" : state.selected.size ? "chosen" : "whole";
      slot.replaceChildren(...cards());
    });
  }

  for (const what of ["community", "grids", "selection", "preview"]) grids.on(what, paint);
})();

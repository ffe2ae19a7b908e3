/* What lies under the pointer: the canvases take no events, so that the topmost feature of any layer can be asked for. */
(() => {
  "use strict";

  const pingji = (window.pingji = window.pingji || {});
  const kit = (pingji.mapkit = pingji.mapkit || {});
  const NEAR_PX = 11;
  const NEAR_LINE_PX = 6;

  /* ── Picking ─────────────────────────────────────────────────────────── */

  /** The visible features at a container point, topmost first, one of each area layer. */
  kit.pick = (view, point) => {
    const { map } = view;
    const zoom = map.getZoom();
    const k = 2 ** zoom;
    const world = map.getPixelOrigin().add(map.containerPointToLayerPoint(point)).divideBy(k);
    const found = [];
    for (const name of ["marks", "areas", "ground"]) {
      for (const state of kit.layersOf(view, name, zoom).reverse()) {
        const feature = nearest(state, world, k);
        if (feature) found.push({ state, feature });
      }
    }
    return found;
  };

  function nearest(state, world, k) {
    let best = null;
    let limit = Infinity;
    for (const feature of state.features) {
      const reach = (feature.kind === "point" ? Math.max(NEAR_PX, feature.drawn || 0) : NEAR_LINE_PX) / k;
      const [w, n, e, s] = feature.box;
      if (world.x < w - reach || world.x > e + reach || world.y < n - reach || world.y > s + reach) continue;
      if (feature.kind === "polygon") {
        if (kit.contains(feature, world.x, world.y)) return feature;
        continue;
      }
      const away = feature.kind === "point" ? Math.hypot(w - world.x, n - world.y) : toLine(feature, world);
      if (away <= reach && away < limit) [best, limit] = [feature, away];
    }
    return best;
  }

  function toLine(feature, { x, y }) {
    let best = Infinity;
    for (const [ring] of feature.parts) {
      for (let i = 2; i < ring.length; i += 2) {
        const dx = ring[i] - ring[i - 2];
        const dy = ring[i + 1] - ring[i - 1];
        const along = ((x - ring[i - 2]) * dx + (y - ring[i - 1]) * dy) / (dx * dx + dy * dy || 1);
        const share = Math.max(0, Math.min(1, along));
        best = Math.min(best, Math.hypot(ring[i - 2] + share * dx - x, ring[i - 1] + share * dy - y));
      }
    }
    return best;
  }

  kit.mountPicking = (view) => {
    const { map } = view;
    map.on("click", (event) => {
      if (view.measuring) return;
      const found = kit.pick(view, event.containerPoint);
      found.length ? kit.openPopup(view, found, event.latlng) : map.closePopup();
    });
    let waiting = 0;
    map.on("mousemove", (event) => {
      if (waiting || view.measuring) return;
      waiting = requestAnimationFrame(() => {
        waiting = 0;
        const hit = kit.pick(view, event.containerPoint)[0];
        map.getContainer().classList.toggle("is-over", Boolean(hit && hit.state.spec.name !== "communities"));
      });
    });
  };

  /** The outline of the feature whose popup is open. */
  kit.paintChosen = (view, frame, trace) => {
    paintHome(view, frame, trace);
    const { chosen } = view;
    if (!chosen) return;
    const { context } = frame;
    context.beginPath();
    if (chosen.kind === "point") {
      context.arc(chosen.anchor[0] * frame.k - frame.ox, chosen.anchor[1] * frame.k - frame.oy, 13, 0, 7);
    } else for (const rings of chosen.parts) trace(frame, rings, chosen.kind === "polygon");
    context.strokeStyle = view.look === "emergency" ? "#FFFFFF" : "#16202B";
    context.lineWidth = 2.6;
    context.stroke();
  };

  /** The border of what the caller answers for, where that is not the county. */
  function paintHome(view, frame, trace) {
    const homes = (kit.homesOf?.(view) || []).filter((one) => one.kind === "polygon");
    if (!homes.length) return;
    const { context } = frame;
    context.beginPath();
    for (const home of homes) for (const rings of home.parts) trace(frame, rings, true);
    context.strokeStyle = view.look === "emergency" ? "#DCE5EE" : "#16202B";
    context.lineWidth = 2.2;
    context.stroke();
  }

  /* ── Popups ──────────────────────────────────────────────────────────── */

  /** Opens a popup for the first of the found features; the others are a click away. */
  kit.openPopup = (view, found, latlng) => {
    const popup = window.L.popup({ className: "map-popup", maxWidth: 360, minWidth: 310, maxHeight: 420, autoPanPadding: [24, 84] });
    const body = pingji.make("div", "map-card");
    show(view, body, found, found[0], popup);
    popup.setLatLng(latlng).setContent(body).openOn(view.map);
    const close = popup.getElement().querySelector(".leaflet-popup-close-button");
    if (close) close.setAttribute("aria-label", pingji.t("map.close"));
    popup.on("remove", () => {
      if (view.popup === popup) choose(view, null);
    });
    view.popup = popup;
  };

  function choose(view, feature) {
    view.chosen = feature;
    kit.repaint(view, "areas");
  }

  function show(view, body, found, one, popup) {
    const { make, t } = pingji;
    const { state, feature } = one;
    choose(view, feature);
    const title = make("h3", "map-card-title", feature.name || feature.code);
    const kind = make("p", "map-card-kind", state.spec.title, make("span", "map-card-code", feature.code));
    const seen = namesOf(state, feature, () => popup.isOpen() && popup.update());
    body.replaceChildren(kind, title, liveBlock(state, feature), rows(view, state, feature), ...(seen ? [seen] : []));
    const others = found.filter((other) => other !== one);
    if (others.length) {
      const list = make("div", "map-card-others", make("span", "", t("map.also_here")));
      for (const other of others) {
        const label = `${other.state.spec.title}\u2003${other.feature.name || other.feature.code}`;
        const button = make("button", "map-card-other", label);
        button.type = "button";
        button.addEventListener("click", (event) => {
          event.stopPropagation();
          show(view, body, found, other, popup);
          popup.update();
        });
        list.append(button);
      }
      body.append(list);
    }
  }

  /** The live figures of a feature, with their denominators; they go on counting while the popup is open. */
  function liveBlock(state, feature) {
    const block = pingji.make("div", "map-card-live live");
    const key = { transfer_points: "place", shelters: "place", danger_zones: "sheet", grids: "sheet", communities: "sheet" }[state.spec.name];
    const paint = () => {
      const value = key && pingji.live.values[`${key}/${feature.code}`];
      block.hidden = !value;
      if (value) block.replaceChildren(...(key === "sheet" ? sheetFigures(value) : placeFigures(value)));
    };
    paint();
    if (key) {
      pingji.live.after((values, keys) => {
        if (block.isConnected && keys.includes(`${key}/${feature.code}`)) paint();
      });
    }
    return block;
  }

  const PERSONAL = new Set(["person", "phone"]);

  /** The way to names and phones, where the card has masked ones. */
  function namesOf(state, feature, changed) {
    const personal = state.spec.fields.filter((field) => PERSONAL.has(field.kind) && String(feature.properties[field.column] ?? "").includes("*"));
    if (!personal.length) return null;
    return pingji.names.block(state.spec.name, feature.code, Object.fromEntries(state.spec.fields.map((field) => [field.column, field.label])), changed);
  }

  const figure = (key, text) => pingji.make("div", "map-figure", pingji.make("b", "", text), pingji.make("span", "", pingji.t(key)));

  function sheetFigures(sheet) {
    const n = pingji.number;
    return [figure("map.figure.remainder", n(sheet.remainder)), figure("map.figure.accounted", `${n(sheet.accounted)} / ${n(sheet.expected)}`)];
  }

  function placeFigures(place) {
    const n = pingji.number;
    const whole = place.kind === "shelter" ? place.capacity : place.expected;
    const figures = [figure(`map.figure.${place.kind}`, `${n(place.present)} / ${n(whole)}`), figure("map.figure.status", pingji.t(`status.${place.status}`))];
    if (place.difference) figures.push(figure("map.figure.difference", pingji.signed(place.difference)));
    return figures;
  }

  const HEAD = new Set(["name", "code"]);

  function rows(view, state, feature) {
    const list = pingji.make("dl", "map-card-rows");
    for (const field of state.spec.fields) {
      const value = HEAD.has(field.column) ? "" : valueText(view, field, feature.properties[field.column]);
      if (value) list.append(pingji.make("dt", `kind-${field.kind}`, field.label), pingji.make("dd", `kind-${field.kind}`, value));
    }
    return list;
  }

  /** One value in the reader's words; empty where there is nothing to say. */
  function valueText(view, field, value) {
    if (value === undefined || value === null || value === "") return "";
    if (field.kind === "number") return pingji.number(value);
    if (field.kind === "yes_no") return pingji.t(value ? "map.yes" : "map.no");
    if (field.kind === "choice") return field.choices[value] || String(value);
    if (field.kind === "flags") return String(value).split(" ").map((flag) => field.choices[flag] || flag).join(pingji.t("map.list_separator"));
    if (field.kind === "reference") return view.nameOf(field.refers, value);
    if (field.kind === "thresholds") return thresholdsText(value);
    return String(value);
  }

  function thresholdsText(value) {
    if (typeof value !== "object") return "";
    return Object.entries(value).map(([hours, pair]) => pingji.t("map.threshold", { hours, mm: [].concat(pair).join(" / ") })).join("\n");
  }
  kit.valueText = valueText;
})();

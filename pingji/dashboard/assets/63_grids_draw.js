/* The tools that draw: cut, reshape, merge, give, simplify, repair. Each collects an intent; the server carries it out. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { grids, mapkit: kit } = pingji;
  const { state } = grids;
  const SNAP_PX = 10;
  const SAME_PX = { mouse: 4, touch: 16 }; // clicks nearer than this are in one place
  const SAMPLES = 60;

  const lonlat = ({ lat, lng }) => [lng, lat];
  const t = (key, params) => pingji.t(key, params);

  /* ── Drawing a line ──────────────────────────────────────────────────── */

  /** The vertex of a grid nearest to a place within some pixels, with its coordinates exactly as the server gave them. */
  grids.vertexNear = (latlng, reach = SNAP_PX) => {
    const k = 2 ** grids.view.map.getZoom();
    const { x, y } = grids.worldOf(latlng);
    const r = reach / k;
    let best = null;
    let nearest = r;
    for (const shape of grids.shapes().values()) {
      const [w, n, e, s] = shape.box;
      if (x < w - r || x > e + r || y < n - r || y > s + r) continue;
      shape.parts.forEach((rings, p) => rings.forEach((ring, q) => {
        for (let i = 0; i < ring.length; i += 2) {
          const away = Math.hypot(ring[i] - x, ring[i + 1] - y);
          if (away < nearest) [nearest, best] = [away, { shape, at: [p, q, i / 2] }];
        }
      }));
    }
    if (!best) return null;
    const { type, coordinates } = best.shape.json.geometry;
    const [p, q, i] = best.at;
    return (type === "Polygon" ? coordinates[q] : coordinates[p][q])[i];
  };

  const snapped = (event) => {
    const vertex = event.originalEvent.altKey ? null : grids.vertexNear(event.latlng);
    return vertex ? window.L.latLng(vertex[1], vertex[0]) : event.latlng;
  };

  /** Points that are being drawn, with the one under the pointer; `changed` hears of each. A line that `closes` ends where it began, exactly. */
  function makePen(changed, closes = false) {
    let points = [];
    let cursor = null;
    let twice = false; // two quick taps far apart are reported as a double one too
    const tell = () => {
      changed();
      grids.repaintInk();
    };
    const onScreen = (latlng) => grids.view.map.latLngToContainerPoint(latlng);
    const placed = (event) => {
      const place = snapped(event);
      const ends = closes && points.length > 2 && onScreen(points[0]).distanceTo(onScreen(place)) < SNAP_PX;
      return ends ? points[0] : place;
    };
    return {
      get points() { return points; },
      get twice() { return twice; },
      get drawn() { return cursor ? [...points, cursor] : points; },
      add(event) {
        const place = placed(event);
        const last = points[points.length - 1];
        const near = SAME_PX[event.originalEvent.pointerType === "mouse" ? "mouse" : "touch"];
        twice = Boolean(last) && onScreen(last).distanceTo(onScreen(place)) < near;
        if (twice) return;
        points = [...points, place];
        cursor = null;
        tell();
        grids.paintHint();
      },
      move(event) {
        if (!points.length || event.originalEvent.pointerType === "touch") return;
        cursor = placed(event);
        tell();
      },
      back() {
        points = points.slice(0, -1);
        cursor = null;
        tell();
        grids.paintHint();
      },
      clear() {
        const had = points.length > 0;
        points = [];
        cursor = null;
        grids.repaintInk();
        return had;
      },
      paint(draw, close = false) {
        const line = cursor ? [...points, cursor] : points;
        if (line.length > 1) draw.line(line, { close: close && line.length > 2 });
        for (const point of points) draw.handle(point);
        if (cursor) draw.handle(cursor, 3);
      },
    };
  }

  /** A tool that is one line: `intentOf(line)` says what it means, null where it means nothing yet. */
  function lineTool(name, icon, key, intentOf, after) {
    const pen = makePen(() => {
      const { drawn } = pen;
      grids.preview(drawn.length > 1 ? intentOf(drawn.map(lonlat)) : null);
    }, true);
    const finish = async () => {
      const line = pen.points.map(lonlat);
      const intent = line.length > 1 ? intentOf(line) : null;
      if (!intent || state.busy) return grids.paintHint();
      const answer = await grids.act(intent);
      if (!answer) return;
      pen.clear();
      after?.(answer);
      grids.paintHint();
    };
    grids.defineTool(name, {
      key, icon, edits: true,
      enter: () => grids.view.map.doubleClickZoom.disable(),
      leave() {
        pen.clear();
        grids.view.map.doubleClickZoom.enable();
      },
      click: (event) => pen.add(event),
      move: (event) => pen.move(event),
      double: () => pen.twice && finish(),
      finish,
      back: () => pen.back(),
      cancel: () => pen.clear(),
      paint: (draw) => pen.paint(draw),
      hint() {
        const n = pen.points.length;
        const stage = n === 0 ? "begin" : n === 1 ? "go_on" : "end";
        return stage === "begin" ? t(`grids.hint.${name}`) : t(`grids.hint.line_${stage}`);
      },
      controls: () => grids.drawControls({ points: pen.points.length, least: 2 }),
    });
  }

  /** The grid that most of a line runs through: which one is meant, not where it is cut. */
  function under(line) {
    const counts = new Map();
    const L = window.L;
    for (let i = 0; i <= SAMPLES; i++) {
      const along = (i / SAMPLES) * (line.length - 1);
      const from = Math.min(Math.floor(along), line.length - 2);
      const share = along - from;
      const [[x0, y0], [x1, y1]] = [line[from], line[from + 1]];
      const code = grids.at(L.latLng(y0 + share * (y1 - y0), x0 + share * (x1 - x0)))?.code;
      if (code) counts.set(code, (counts.get(code) || 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
  }

  lineTool(
    "cut", '<circle cx="6" cy="6" r="2.6"/><circle cx="6" cy="18" r="2.6"/><path d="M8.2 7.5L20 16.5M8.2 16.5L20 7.5"/>', "c",
    (line) => {
      const code = state.selected.size === 1 ? [...state.selected][0] : under(line);
      return code && { kind: "split", code, line };
    },
    () => grids.select([]),
  );

  lineTool(
    "reshape", '<path d="M4 4v4c0 4 5 3 5 7v5"/><path d="M4 12c7-3 7 6 16 1" stroke-dasharray="2.6 2.4"/>', "r",
    (line) => ({ kind: "reshape", line, ...(state.selected.size === 2 ? { codes: [...state.selected] } : {}) }),
  );

  /* ── Merge ───────────────────────────────────────────────────────────── */

  let into = "";

  const chosen = () => [...state.selected];

  /** The one whose code stays: what the person chose, else the one with most households. */
  function keeper() {
    if (state.selected.has(into)) return into;
    const households = (code) => state.grids.get(code).properties.households ?? 0;
    return chosen().sort((a, b) => households(b) - households(a))[0] ?? "";
  }

  const mergeIntent = () => (state.selected.size > 1 ? { kind: "merge", codes: chosen(), into: keeper() } : null);

  async function merge() {
    const intent = mergeIntent();
    if (!intent || state.busy) return;
    if (await grids.act(intent)) grids.select([intent.into]);
  }

  grids.defineTool("merge", {
    key: "m", edits: true,
    icon: '<path d="M4 5h7v14H4zM13 5h7v14h-7" opacity=".45"/><path d="M8 12h8M13.4 9.4L16 12l-2.6 2.6"/>',
    enter: () => grids.preview(mergeIntent()),
    leave: () => (into = ""),
    click(event) {
      const code = grids.at(event.latlng)?.code;
      if (code) grids.toggle(code);
    },
    finish: merge,
    cancel() {
      const had = state.selected.size > 0;
      if (had) grids.select([]);
      return had;
    },
    hint: () => t(state.selected.size > 1 ? "grids.hint.merge_ready" : "grids.hint.merge", { n: state.selected.size }),
    controls() {
      const ready = state.selected.size > 1;
      const options = chosen().slice(0, 6).map((code) => [code, grids.codeText(code)]);
      const keep = (code) => {
        into = code;
        grids.preview(mergeIntent());
        grids.paintHint();
      };
      return [
        ready && grids.choice("into", t("grids.merge.keep"), options, keeper(), keep),
        grids.control("finish", t("grids.do.merge"), merge, { main: true, disabled: !ready || state.busy }),
      ];
    },
  });
  grids.on("selection", () => {
    if (state.tool === "merge") grids.preview(mergeIntent());
  });

  /* ── Give ────────────────────────────────────────────────────────────── */

  const gift = { what: "building", building: null, ground: null, missed: false };
  const block = makePen(() => {});

  const given = () => gift.building || gift.ground;

  function giveIntent(to) {
    const what = gift.building ? { building: gift.building.code } : { ground: gift.ground };
    return { kind: "give", to, ...what };
  }

  function dropGift() {
    const had = Boolean(given()) || block.points.length > 0;
    Object.assign(gift, { building: null, ground: null, missed: false });
    block.clear();
    return had;
  }

  function pickBuilding(event) {
    const found = kit.pick(grids.view, event.containerPoint).find(({ state: layer }) => layer.spec.name === "buildings");
    Object.assign(gift, { building: found?.feature ?? null, missed: !found });
  }

  function endBlock() {
    if (block.points.length < 3) return;
    const ring = block.points.map(lonlat);
    gift.ground = { type: "Polygon", coordinates: [[...ring, ring[0]]] };
    grids.paintHint();
  }

  async function give(event) {
    const to = grids.at(event.latlng)?.code;
    if (!to || state.busy) return;
    if (await grids.act(giveIntent(to))) {
      dropGift();
      grids.select([to]);
    }
  }

  const closeEnough = () => grids.view.map.getZoom() >= grids.view.layer("buildings").spec[grids.view.look].min_zoom;

  grids.defineTool("give", {
    key: "g", edits: true,
    icon: '<path d="M4 20v-8l5-4 5 4v8z"/><path d="M14 6h6M17.4 3.4L20 6l-2.6 2.6"/>',
    enter: () => grids.view.map.doubleClickZoom.disable(),
    leave() {
      dropGift();
      grids.view.map.doubleClickZoom.enable();
    },
    click(event) {
      if (given()) return give(event);
      gift.what === "building" ? pickBuilding(event) : block.add(event);
      grids.paintHint();
      grids.repaintInk();
    },
    move(event) {
      if (!given()) return gift.what === "ground" && block.move(event);
      const to = grids.at(event.latlng)?.code;
      if (to) grids.preview(giveIntent(to));
    },
    double: () => block.twice && endBlock(),
    finish: endBlock,
    back: () => (gift.ground ? (gift.ground = null) : block.back(), grids.paintHint()),
    cancel: dropGift,
    paint(draw) {
      if (gift.building) draw.shape(gift.building);
      block.paint(draw, true);
    },
    hint() {
      if (given()) return t("grids.hint.give_to");
      if (gift.what === "ground") return t("grids.hint.give_ground");
      return t(gift.missed ? "grids.hint.give_missed" : closeEnough() ? "grids.hint.give_building" : "grids.hint.give_zoom");
    },
    controls() {
      const options = [["building", t("grids.give.building")], ["ground", t("grids.give.ground")]];
      const change = (what) => {
        dropGift();
        gift.what = what;
        grids.paintHint();
      };
      const drawing = gift.what === "ground" && !gift.ground;
      return [
        grids.choice("what", t("grids.give.what"), options, gift.what, change),
        ...(drawing ? grids.drawControls({ points: block.points.length, least: 3 }) : []),
        given() && grids.control("cancel", t("grids.do.cancel"), () => (dropGift(), grids.paintHint())),
      ];
    },
  });
  grids.ready.then((view) => view.map.on("zoomend", () => state.tool === "give" && grids.paintHint()));

  /* ── Simplify and repair ─────────────────────────────────────────────── */

  /** A tool that is a few numbers and one button. */
  function formTool(name, icon, key, fields, intentOf) {
    const values = Object.fromEntries(fields.map(([field, , first]) => [field, first]));
    const look = () => grids.preview(intentOf(values));
    const finish = async () => {
      if (!state.busy) await grids.act(intentOf(values));
    };
    grids.defineTool(name, {
      key, icon, edits: true, enter: look, finish,
      click(event) {
        const code = grids.at(event.latlng)?.code;
        if (code && name === "simplify") grids.toggle(code);
      },
      hint: () => t(`grids.hint.${name}`, { n: state.selected.size || state.grids.size }),
      controls: () => [
        ...fields.map(([field, options]) =>
          grids.choice(field, t(`grids.field.${field}`), options.map((m) => [m, `${m} m`]), values[field], (value) => {
            values[field] = value;
            look();
            grids.paintHint();
          }),
        ),
        grids.control("finish", t(`grids.do.${name}`), finish, { main: true, disabled: state.busy }),
      ],
    });
    grids.on("selection", () => state.tool === name && look());
  }

  formTool(
    "simplify", '<path d="M3 16l4-7 3 5 3-9 4 8 4-4" opacity=".45"/><path d="M3 16l7-4 11-3"/>', "s",
    [["tolerance_m", [1, 2, 5, 10], 2]],
    ({ tolerance_m }) => ({ kind: "simplify", codes: state.selected.size ? chosen() : [...state.grids.keys()], tolerance_m }),
  );
  formTool(
    "repair", '<path d="M14.5 6.5a4 4 0 0 0-5.3 5L4 16.7 7.3 20l5.2-5.2a4 4 0 0 0 5-5.3l-2.5 2.5-2.5-.6-.6-2.5z"/>', "f",
    [["gap_m", [0.5, 1, 2, 5], 2], ["overlap_m", [0.5, 1, 2, 5], 2]],
    ({ gap_m, overlap_m }) => ({ kind: "repair", gap_m, overlap_m }),
  );
})();

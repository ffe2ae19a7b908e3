/* Tools on the map: basemap where a key is set, scale bar, coordinates, credits, measuring. */
(() => {
  "use strict";

  const pingji = (window.pingji = window.pingji || {});
  const kit = (pingji.mapkit = pingji.mapkit || {});
  const EARTH_M = 6371008.8;

  /* ── Basemap ─────────────────────────────────────────────────────────── */

  /** Tianditu where the county has a key; nothing leaves the origin without one. */
  kit.tiles = (view, key) => {
    view.basemap = Boolean(key);
    if (!key) return;
    for (const layer of ["vec", "cva"]) {
      const query = "SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles";
      window.L.tileLayer(
        `https://t{s}.tianditu.gov.cn/${layer}_w/wmts?${query}&LAYER=${layer}&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=${encodeURIComponent(key)}`,
        { subdomains: "01234567", maxZoom: 18, className: "pingji-tiles" },
      ).addTo(view.map);
    }
  };

  /* ── Geodesy ─────────────────────────────────────────────────────────── */

  const rad = (degrees) => (degrees * Math.PI) / 180;

  /** Great-circle metres between two positions. */
  function distance(a, b) {
    const h = Math.sin(rad(b.lat - a.lat) / 2) ** 2 + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(rad(b.lng - a.lng) / 2) ** 2;
    return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
  }

  /** Square metres inside a ring on the sphere. */
  function area(ring) {
    let sum = 0;
    ring.forEach((a, i) => {
      const b = ring[(i + 1) % ring.length];
      sum += rad(b.lng - a.lng) * (2 + Math.sin(rad(a.lat)) + Math.sin(rad(b.lat)));
    });
    return Math.abs((sum * EARTH_M * EARTH_M) / 2);
  }
  kit.distance = distance;
  kit.area = area;

  const lengthText = (m) => (m < 1000 ? `${m.toFixed(m < 100 ? 1 : 0)} m` : `${(m / 1000).toFixed(m < 20000 ? 2 : 1)} km`);
  const areaText = (m2) => (m2 < 1e5 ? `${pingji.number(Math.round(m2))} m²` : `${(m2 / 1e6).toFixed(2)} km²`);

  /* ── Scale bar and coordinates ───────────────────────────────────────── */

  /** Paints a scale bar into an element and the position under the pointer into another. */
  kit.mountReadouts = (view, { bar, position }) => {
    const { map } = view;
    const paint = () => {
      const y = map.getSize().y / 2;
      const metres = map.distance(map.containerPointToLatLng([0, y]), map.containerPointToLatLng([110, y]));
      const power = 10 ** Math.floor(Math.log10(metres));
      const round = [5, 2, 1].find((step) => step * power <= metres) * power;
      bar.style.width = `${(110 * round) / metres}px`;
      pingji.setText(bar, round < 1000 ? `${round} m` : `${round / 1000} km`);
    };
    map.on("zoomend moveend resize", paint);
    paint();
    map.on("mousemove", ({ latlng }) => pingji.setText(position, `${latlng.lng.toFixed(5)}°E\u2003${latlng.lat.toFixed(5)}°N`));
    map.on("mouseout", () => pingji.setText(position, ""));
  };

  /* ── Measuring ───────────────────────────────────────────────────────── */

  /** Click to add a corner, double click or Enter to end, Escape to leave; `tell` gets the text to show. */
  kit.mountMeasure = (view, tell) => {
    const L = window.L;
    const { map } = view;
    const group = L.layerGroup();
    let points = [];
    let ended = false;

    const style = () => ({ color: view.look === "emergency" ? "#FFFFFF" : "#16202B", weight: 2, dashArray: "6 4", fillOpacity: 0.08, interactive: false });

    function paint(cursor) {
      const all = cursor && !ended ? points.concat(cursor) : points;
      group.clearLayers();
      if (all.length > 2) group.addLayer(L.polygon(all, { ...style(), weight: 0 }));
      group.addLayer(L.polyline(all, style()));
      for (const point of points) group.addLayer(L.circleMarker(point, { ...style(), dashArray: "", radius: 3.5, fillOpacity: 1 }));
      const length = all.slice(1).reduce((sum, point, i) => sum + distance(all[i], point), 0);
      const key = all.length > 2 ? "map.measured_area" : all.length > 1 ? "map.measured" : "map.measure_hint";
      tell(pingji.t(key, { length: lengthText(length), area: all.length > 2 ? areaText(area(all)) : "" }));
    }

    function add({ latlng }) {
      if (ended) [points, ended] = [[], false];
      const last = points[points.length - 1];
      if (last && map.latLngToContainerPoint(last).distanceTo(map.latLngToContainerPoint(latlng)) < 3) return;
      points.push(latlng);
      paint();
    }

    const move = ({ latlng }) => points.length && !ended && paint(latlng);
    const end = () => ((ended = true), paint());
    const keys = (event) => {
      if (event.key === "Enter") end();
      if (event.key === "Escape") toggle(false);
      if (event.key === "Backspace" && points.pop()) paint();
    };

    function toggle(on = !view.measuring) {
      view.measuring = on;
      [points, ended] = [[], false];
      group.clearLayers();
      on ? group.addTo(map) : group.remove();
      const bind = on ? "on" : "off";
      map[bind]("click", add)[bind]("mousemove", move)[bind]("dblclick", end);
      on ? map.doubleClickZoom.disable() : map.doubleClickZoom.enable();
      on ? document.addEventListener("keydown", keys) : document.removeEventListener("keydown", keys);
      map.getContainer().classList.toggle("is-measuring", on);
      if (on) map.closePopup();
      tell(on ? pingji.t("map.measure_hint") : "");
      view.changed("measure");
    }
    return toggle;
  };
})();

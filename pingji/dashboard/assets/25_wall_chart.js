/* Arrivals over time on the wall: who came, and how many would have to be here by now. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const SVG = "http://www.w3.org/2000/svg";
  const HOUR_MS = 3600000;

  /** A new SVG element with its attributes. */
  function shape(tag, attributes, text) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
    if (text !== undefined) node.textContent = text;
    return node;
  }

  /** The round step that makes at most `most` parts of `range`. */
  function niceStep(range, most) {
    const raw = range / most;
    const power = 10 ** Math.floor(Math.log10(raw));
    return [1, 2, 2.5, 5, 10].map((m) => m * power).find((step) => step >= raw);
  }

  /** Where a step and a count lie in the box, in CSS pixels. */
  function scales({ width, height, em }, arrivals) {
    const steps = Math.max(arrivals.actual.length, arrivals.needed.length, 2) - 1;
    const top = Math.max(10, ...arrivals.actual, ...arrivals.needed);
    const [left, right, head, foot] = [4.2 * em, 4.6 * em, 0.7 * em, 1.5 * em];
    return {
      steps, top, left, right: width - right, base: height - foot,
      x: (i) => left + ((width - left - right) * i) / steps,
      y: (n) => height - foot - ((height - head - foot) * n) / top,
    };
  }

  const points = (series, scale) => series.map((n, i) => `${scale.x(i).toFixed(1)},${scale.y(n).toFixed(1)}`);

  function drawGrid(svg, scale) {
    const step = niceStep(scale.top, 3);
    for (let n = 0; n <= scale.top; n += step) {
      const y = scale.y(n);
      svg.append(
        shape("line", { x1: scale.left, x2: scale.right, y1: y, y2: y, class: "chart-grid" }),
        shape("text", { x: scale.left, y, dx: "-0.5em", dy: "0.35em", "text-anchor": "end" }, pingji.number(n)),
      );
    }
  }

  /** Full hours under the axis, as many as there is room for. */
  function drawHours(svg, scale, { start, step_min }, em) {
    const span = scale.steps * step_min * 60000;
    const room = Math.max(1, Math.floor((scale.right - scale.left) / (5 * em)));
    const every = Math.max(1, Math.ceil(span / HOUR_MS / room)) * (span < HOUR_MS ? HOUR_MS / 4 : HOUR_MS);
    for (let at = Math.ceil(start / every) * every; at <= start + span; at += every) {
      const x = scale.x(((at - start) / span) * scale.steps);
      svg.append(
        shape("line", { x1: x, x2: x, y1: scale.base, y2: scale.base + 0.3 * em, class: "chart-axis" }),
        shape("text", { x, y: scale.base, dy: "1.35em", "text-anchor": "middle" }, pingji.clock(at, "minutes")),
      );
    }
  }

  function drawSeries(svg, scale, { actual, needed }) {
    const line = points(actual, scale);
    if (needed.length) svg.append(shape("polyline", { points: points(needed, scale).join(" "), class: "chart-needed" }));
    if (!actual.length) return;
    const last = actual.length - 1;
    const [x, y] = [scale.x(last), scale.y(actual[last])];
    svg.append(
      shape("polygon", { points: [`${scale.x(0)},${scale.base}`, ...line, `${x},${scale.base}`].join(" "), class: "chart-area" }),
      shape("polyline", { points: line.join(" "), class: "chart-actual" }),
      shape("circle", { cx: x, cy: y, r: "0.35em", class: "chart-now" }),
      shape("text", { x, y, dx: "0.7em", dy: "0.35em", class: "chart-value" }, pingji.number(actual[last])),
    );
  }

  /** Both figures of now, and the one that counts: how far behind. */
  function writeLegend(host, { actual, needed }) {
    const { make, t, number } = pingji;
    if (!actual.length) return host.replaceChildren();
    const now = actual[actual.length - 1];
    const due = needed.length ? needed[Math.min(actual.length, needed.length) - 1] : undefined;
    const parts = [make("i", "key key-actual"), `${t("wall.actual")} `, make("b", "", number(now))];
    if (due !== undefined) {
      const gap = Math.round(due - now);
      parts.push(make("i", "key key-needed"), `${t("wall.needed")} `, make("b", "", number(Math.round(due))));
      if (gap !== 0) parts.push(make("strong", "", t(gap > 0 ? "wall.behind" : "wall.ahead", { n: number(Math.abs(gap)) })));
    }
    host.replaceChildren(...parts);
  }

  /** A painter of the chart in `host`; it redraws only where the figures or the box have changed. */
  pingji.wallChart = (host, legend, changed) => {
    const svg = shape("svg", { class: "chart-svg" });
    const empty = pingji.make("p", "empty");
    let box = null;
    let drawn = null;
    new ResizeObserver(() => {
      box = { width: host.clientWidth, height: host.clientHeight, em: parseFloat(getComputedStyle(host).fontSize) };
      drawn = null;
      changed();
    }).observe(host);
    return (arrivals) => {
      if (!box || drawn === arrivals) return;
      drawn = arrivals;
      if (!arrivals || !arrivals.needed || arrivals.actual.length + arrivals.needed.length === 0) {
        legend.replaceChildren();
        empty.textContent = pingji.t("wall.empty.chart");
        return host.replaceChildren(empty);
      }
      const scale = scales(box, arrivals);
      svg.replaceChildren();
      svg.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
      drawGrid(svg, scale);
      drawHours(svg, scale, arrivals, box.em);
      drawSeries(svg, scale, arrivals);
      writeLegend(legend, arrivals);
      if (!svg.isConnected) host.replaceChildren(svg);
    };
  };
})();

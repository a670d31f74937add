// Draws each chart from the JSON beside it, follows the reader's colour scheme, and moves along the
// lags by pointer and by arrow keys. The values it says are those of the chart's own table.
(() => {
  "use strict";

  const night = matchMedia("(prefers-color-scheme: dark)");
  const swaps = JSON.parse(document.getElementById("palette").textContent);
  const config = { displayModeBar: false, responsive: true, showTips: false, doubleClick: false };
  const PRINT_WIDTH = 660;
  let printing = false;

  const painted = (text) => {
    if (!night.matches || printing) return JSON.parse(text);
    return JSON.parse(swaps.reduce((all, [light, dark]) => all.replaceAll(light, dark), text));
  };

  const number = (text) => (text.trim() === "" ? NaN : Number(text));
  // As it is said: four digits of the table's six, with the minus sign that the axis uses.
  const said = (text) => (Number.isFinite(number(text))
    ? String(Number(number(text).toPrecision(4))).replace("-", "\u2212") : text);

  // One row for each place on the x axis: its name, and a value for each column of the table.
  const rowsOf = (figure) => [...figure.querySelectorAll("tbody tr")].map((row) => ({
    x: row.cells[0].textContent,
    cells: [...row.cells].slice(1).map((cell) => cell.textContent),
  }));

  const headsOf = (figure) =>
    [...figure.querySelector("thead tr").cells].map((cell) => cell.textContent);

  // The columns in groups: a curve, and the edges of its band where it has one.
  const curvesOf = (heads) => {
    const curves = [];
    heads.slice(1).forEach((head, column) => {
      const owner = curves.at(-1);
      if (owner && head === `${owner.label}, low`) owner.low = column;
      else if (owner && head === `${owner.label}, high`) owner.high = column;
      else curves.push({ label: head, column });
    });
    return curves;
  };

  const sentence = (heads, curves, row) => {
    const values = curves.filter((curve) => row.cells[curve.column] !== "").map((curve) => {
      const edges = [row.cells[curve.low], row.cells[curve.high]];
      const band = edges.every((edge) => edge !== undefined && edge !== "")
        ? ` (${said(edges[0])} to ${said(edges[1])})` : "";
      return `${curve.label} ${said(row.cells[curve.column])}${band}`;
    });
    return `${heads[0].replace(/\s*\(.*\)$/, "")} ${row.x}: ${values.join("; ")}`;
  };

  const chart = (figure) => {
    const plot = figure.querySelector(".plot");
    const reading = figure.querySelector(".reading");
    const source = figure.querySelector("script.figure").textContent;
    const rows = rowsOf(figure);
    const heads = headsOf(figure);
    const curves = curvesOf(heads);
    let at = -1;

    const forget = () => {
      at = -1;
      delete plot.dataset.at;
      reading.textContent = rows.length ? reading.dataset.hint : "";
      reading.classList.remove("live");
    };

    const draw = () => {
      const { data, layout } = painted(source);
      if (printing) layout.width = PRINT_WIDTH;
      forget();
      return Plotly.react(plot, data, layout, config);
    };

    const rest = () => {
      forget();
      Plotly.restyle(plot, { x: [[]], y: [[]] }, [plot.data.length - 1]);
    };

    const move = (to) => {
      const next = Math.min(Math.max(to, 0), rows.length - 1);
      if (next === at || next < 0) return;
      at = next;
      const row = rows[at];
      const [bottom, top] = plot.layout.yaxis.range;
      const points = curves.map((curve) => number(row.cells[curve.column])).filter(Number.isFinite);
      const y = [bottom, ...points, top];
      const x = plot.layout.xaxis.type === "category" ? row.x : number(row.x);
      const size = y.map((_, place) => (place === 0 || place === y.length - 1 ? 0 : 8));
      Plotly.restyle(plot, { x: [y.map(() => x)], y: [y], "marker.size": [size] }, [plot.data.length - 1]);
      plot.dataset.at = row.x;
      reading.textContent = sentence(heads, curves, row);
      reading.classList.add("live");
    };

    const steps = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
    plot.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key in steps) move(at < 0 ? 0 : at + steps[event.key]);
      else if (event.key === "Home") move(0);
      else if (event.key === "End") move(rows.length - 1);
      else if (event.key === "Escape") rest();
      else return;
      event.preventDefault();
    });
    plot.addEventListener("blur", rest);

    draw();
    const places = new Map(rows.map((row, place) => [row.x, place]));
    plot.on("plotly_hover", (event) => {
      const place = places.get(String(event.points[0].x));
      if (place !== undefined) move(place);
    });
    plot.on("plotly_unhover", rest);
    return draw;
  };

  // A field over two axes: pointing at it says where, and what is there.
  const plane = (figure) => {
    const plot = figure.querySelector(".plot");
    const reading = figure.querySelector(".reading");
    const source = figure.querySelector("script.figure").textContent;

    const rest = () => {
      reading.textContent = reading.dataset.hint;
      reading.classList.remove("live");
    };

    const draw = () => {
      const { data, layout } = painted(source);
      if (printing) layout.width = PRINT_WIDTH;
      rest();
      return Plotly.react(plot, data, layout, config);
    };

    draw();
    plot.on("plotly_hover", ({ points: [point] }) => {
      if (point.data.type !== "heatmap") return;
      const [across, up] = point.data.meta;
      reading.textContent = `${across} ${said(String(point.x))}, ${up} ${said(String(point.y))}: ${point.text}`;
      reading.classList.add("live");
    });
    plot.on("plotly_unhover", rest);
    return draw;
  };

  // A chart that is folded away has no width yet; it is drawn when it is opened.
  const redraws = [];
  document.querySelectorAll("figure").forEach((figure) => {
    const folded = figure.closest("details:not([open])");
    const begin = () => redraws.push((figure.classList.contains("plane") ? plane : chart)(figure));
    if (folded) folded.addEventListener("toggle", begin, { once: true });
    else begin();
  });

  // A link to a group of trials opens its curves.
  const open = (hash) => document.getElementById(hash.slice(1))
    ?.querySelector("details.drawn")?.setAttribute("open", "");
  document.querySelectorAll('a[href^="#"]').forEach((link) => {
    link.addEventListener("click", () => open(link.hash));
  });
  open(location.hash);

  const redraw = () => redraws.forEach((draw) => draw());
  night.addEventListener("change", redraw);
  addEventListener("beforeprint", () => { printing = true; redraw(); });
  addEventListener("afterprint", () => { printing = false; redraw(); });
})();

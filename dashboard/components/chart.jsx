/* A Plotly figure whose colours are tokens: read from the page, and read again when the theme changes. */
import Plotly from "plotly.js-basic-dist-min";
import { useEffect, useRef } from "react";

const TOKEN = /^var\((--[\w-]+)\)$/;

/* The figure with every `var(--token)` in it replaced by what the token is now. */
function coloured(part, style) {
  if (typeof part === "string") {
    const token = TOKEN.exec(part);
    return token ? style.getPropertyValue(token[1]).trim() : part;
  }
  if (Array.isArray(part)) return part.map((each) => coloured(each, style));
  if (part && typeof part === "object") {
    return Object.fromEntries(Object.entries(part).map(([name, each]) => [name, coloured(each, style)]));
  }
  return part;
}

export function Chart({ figure = {}, template = {}, label = "Chart" }) {
  const box = useRef(null);
  useEffect(() => {
    const draw = () => {
      const style = getComputedStyle(document.documentElement);
      const { data = [], layout = {} } = coloured(figure, style);
      Plotly.react(box.current, data, { ...layout, template: coloured(template, style), autosize: true }, {
        displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false, showTips: false,
      });
    };
    draw();
    const observer = new MutationObserver(draw);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  }, [JSON.stringify(figure)]);
  useEffect(() => {
    const element = box.current;
    return () => Plotly.purge(element);
  }, []);
  return <div ref={box} className="wp-chart" role="img" aria-label={label} />;
}

/* Chooses a macro by a few of its letters. */
import { useEffect, useRef, useState } from "react";

export function Macros({ macros, onPick, onLeave }) {
  const input = useRef(null);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  useEffect(() => input.current.focus(), []);
  const wanted = text.trim().toLowerCase();
  const found = macros.filter(({ title, text: body }) => `${title} ${body}`.toLowerCase().includes(wanted));
  const at = Math.min(chosen, Math.max(found.length - 1, 0));
  const press = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((at + step + found.length) % Math.max(found.length, 1));
    else if (event.key === "Enter") found[at] && onPick(found[at]);
    else if (event.key === "Escape") onLeave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="wp-macros">
      <input
        ref={input} className="wp-input" role="combobox" aria-expanded="true" aria-controls="wp-macro-list"
        aria-activedescendant={found.length ? `wp-macro-${at}` : undefined} aria-label="Find a macro"
        placeholder="Find a macro" autoComplete="off" value={text}
        onChange={(event) => { setText(event.target.value); setChosen(0); }} onKeyDown={press}
      />
      <div id="wp-macro-list" role="listbox" aria-label="Macros">
        {found.map((macro, index) => (
          <div
            key={macro.id} id={`wp-macro-${index}`} role="option" aria-selected={index === at}
            onMouseMove={() => setChosen(index)} onClick={() => onPick(macro)}
          >
            <span>{macro.title}</span>
            <span className="wp-muted wp-clip">{macro.text}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="wp-muted wp-macros-none">No macro has these words.</p>}
    </div>
  );
}

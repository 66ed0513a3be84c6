/* The command palette, the list of keys, and the keyboard of the whole console. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { LIST_KEYS, listKey } from "./list_keys.js";
import { FoundLine, fitting, searching, useAsking } from "./search_parts.jsx";

const SEQUENCE_MS = 1200;

function actionsFor(text, { pages, regions, found, foundFor }, run) {
  const wanted = text.trim().toLowerCase();
  const matches = (...words) => words.some((word) => word.toLowerCase().includes(wanted));
  const begins = (label) => label.toLowerCase().split(/\s+/).some((word) => word.startsWith(wanted));
  const goTo = (choice) => pages
    .filter((page) => matches(page.label) && choice(page.label))
    .map((page) => ({
      id: `page-${page.href}`, group: "Go to", label: page.label, hint: page.keys,
      act: () => run.go(page.href),
    }));
  const things = fitting(text, found, foundFor).map((each) => ({
    ...each, id: `found-${each.id}`, act: () => run.go(each.href),
  }));
  const places = regions
    .filter((region) => wanted && matches(region.path, region.code))
    .slice(0, 8)
    .map((region) => ({
      id: `region-${region.code}`, group: "Switch region", label: region.path,
      hint: region.code, act: () => run.region(region.code),
    }));
  const others = [
    { id: "theme", label: "Toggle dark and light", hint: "t", act: run.theme },
    { id: "rail", label: "Collapse or widen the rail", hint: "[", act: run.rail },
    { id: "keys", label: "List keyboard shortcuts", hint: "?", act: run.keys },
    { id: "sign-out", label: "Sign out", hint: "", act: run.signOut },
  ]
    .filter((action) => matches(action.label))
    .map((action) => ({ ...action, group: "Do" }));
  // Pages are known at once, things come later: what is likely meant does not move under the cursor.
  return [...goTo(begins), ...things, ...goTo((label) => !begins(label)), ...places, ...others];
}

function SingleKeys() {
  const [on, setOn] = useState(true);
  useEffect(() => setOn(window.waypost.singleKeys()), []);
  const choose = (event) => {
    window.waypost.setSingleKeys(event.target.checked);
    setOn(event.target.checked);
  };
  return (
    <label className="wp-check wp-keys-switch">
      <input type="checkbox" checked={on} onChange={choose} />
      <span>Single keys act; without them only Ctrl K, Enter and Esc do</span>
    </label>
  );
}

function KeyList({ pages, extraKeys, dialog }) {
  const rows = [
    ["Ctrl K", "Search and commands"],
    ...pages.filter((page) => page.keys).map((page) => [page.keys, page.label]),
    ...extraKeys.map((row) => [row.keys, row.label]),
    ...LIST_KEYS,
    ["t", "Toggle dark and light"],
    ["[", "Collapse or widen the rail"],
    ["?", "This list"],
    ["Esc", "Close"],
  ];
  return (
    <dialog ref={dialog} className="wp-dialog wp-keys" aria-labelledby="wp-keys-title">
      <h2 id="wp-keys-title">Keyboard</h2>
      <dl>
        {rows.map(([keys, label]) => (
          <div key={keys + label}>
            <dt>{keys.split(" ").map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
      <SingleKeys />
      <form method="dialog"><button className="wp-button">Close</button></form>
    </dialog>
  );
}

export function Palette({ pages = [], regions = [], found = [], foundFor = "", extraKeys = [], onFind, onRegion }) {
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const dialog = useRef(null);
  const keyDialog = useRef(null);
  const input = useRef(null);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);

  const close = useCallback(() => dialog.current?.close(), []);
  const run = useMemo(() => ({
    go: (href) => navigate(href),
    region: (code) => onRegion?.(code),
    theme: () => window.waypost.toggleTheme(),
    rail: () => window.waypost.toggleRail(),
    keys: () => keyDialog.current?.showModal(),
    signOut: () => window.waypost.signOut(),
  }), [navigate, onRegion]);
  const actions = useMemo(
    () => actionsFor(text, { pages, regions, found, foundFor }, run),
    [text, pages, regions, found, foundFor, run],
  );

  const open = useCallback(() => {
    if (dialog.current?.open) return;
    setText("");
    setChosen(0);
    dialog.current?.showModal();
    input.current?.focus();
  }, []);

  // On a phone the tabs are more than fit.
  useEffect(() => {
    document.querySelector(".wp-tab[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [pathname, pages]);

  useAsking(text, onFind);

  useEffect(() => {
    let waiting = 0;
    const onKey = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (dialog.current?.open) close();
        else open();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (window.waypost.typing(event.target) || document.querySelector("dialog[open]")) return;
      if (Date.now() < waiting) {
        waiting = 0;
        const page = pages.find((entry) => entry.keys === `g ${event.key}`);
        if (page) navigate(page.href);
        return;
      }
      if (event.key === "g") waiting = Date.now() + SEQUENCE_MS;
      else if (event.key === "?") run.keys();
      else if (event.key === "t") run.theme();
      else if (event.key === "[") run.rail();
      else if (event.key === "/") open();
      else if (!listKey(event.key)) return;
      event.preventDefault();
    };
    const onKeys = () => run.keys();
    window.addEventListener("keydown", onKey);
    window.addEventListener("wp:palette", open);
    window.addEventListener("wp:keys", onKeys);
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener("wp:palette", open);
      window.removeEventListener("wp:keys", onKeys);
    };
  }, [pages, navigate, open, close, run]);

  const selected = Math.min(chosen, Math.max(actions.length - 1, 0));
  useEffect(() => {
    document.getElementById(`wp-option-${selected}`)?.scrollIntoView({ block: "nearest" });
  }, [selected]);

  const perform = (action) => {
    if (!action) return;
    close();
    action.act();
  };
  const onInputKey = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setChosen((selected + step + actions.length) % Math.max(actions.length, 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      perform(actions[selected]);
    }
  };

  return (
    <>
      <dialog
        ref={dialog}
        className="wp-dialog wp-palette"
        aria-label="Search and commands"
        onClick={(event) => event.target === dialog.current && close()}
      >
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls="wp-options"
          aria-activedescendant={actions.length ? `wp-option-${selected}` : undefined}
          aria-label="Search orders, drivers, tickets, incidents, payments, pages and regions"
          placeholder="Number, phone's last digits, name, reference, barcode, plate, page or region"
          autoComplete="off"
          spellCheck="false"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setChosen(0);
          }}
          onKeyDown={onInputKey}
        />
        <div id="wp-options" role="listbox" aria-label="Results">
          {actions.map((action, index) => (
            <div
              key={action.id}
              id={`wp-option-${index}`}
              role="option"
              aria-selected={index === selected}
              onMouseMove={() => setChosen(index)}
              onClick={() => perform(action)}
            >
              <span className="wp-option-group">
                {index === 0 || actions[index - 1].group !== action.group ? action.group : ""}
              </span>
              <FoundLine {...action} />
            </div>
          ))}
        </div>
        {actions.length === 0 && (
          <p className="wp-palette-none" role="status">
            {searching(text, foundFor)
              ? "Searching"
              : "Nothing matches in your regions. Try a number, four digits of a phone, a name, a barcode or a city."}
          </p>
        )}
      </dialog>
      <KeyList pages={pages} extraKeys={extraKeys} dialog={keyDialog} />
    </>
  );
}

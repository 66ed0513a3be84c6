/* The board's keyboard: one letter, one deed; silent while typing, in a dialog, or after `g`. */
import { useEffect, useRef } from "react";
import { carrying } from "./dispatch_board_drag.js";

const SEQUENCE_MS = 1200;

/* `commands` by key; a digit calls `commands.digit(n)`. */
export function useBoardKeys(commands) {
  const now = useRef(commands);
  useEffect(() => {
    now.current = commands;
  });
  useEffect(() => {
    let waiting = 0;
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || carrying()) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest("input, select, textarea, [contenteditable]") || document.querySelector("dialog[open]")) return;
      // `g` begins the frame's own sequences: what follows is not for the board.
      if (Date.now() < waiting) {
        waiting = 0;
        return;
      }
      if (event.key === "g") {
        waiting = Date.now() + SEQUENCE_MS;
        return;
      }
      // Buttons and links answer to Enter and Space themselves.
      if ((event.key === "Enter" || event.key === " ") && target?.closest("button, a, summary")) return;
      const digit = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
      const act = digit ? () => now.current.digit(digit) : now.current[event.key];
      if (!act) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      act();
    };
    window.addEventListener("keydown", press, true);
    return () => window.removeEventListener("keydown", press, true);
  }, []);
}

/* The keyboard of lists: j and k walk over the rows, x ticks one; Enter follows its link by itself. */

const bodyOf = (element) => element?.closest(".wp-table-box")?.querySelector("tbody");

function rowsAndPlace() {
  const main = document.querySelector(".wp-main");
  const focused = main?.contains(document.activeElement) ? document.activeElement : null;
  const body = bodyOf(focused) ?? main?.querySelector(".wp-table-box tbody");
  const rows = [...(body?.rows ?? [])];
  const at = rows.findIndex((row) => row.contains(focused));
  return { rows, at: at < 0 ? rows.findIndex((row) => row.ariaSelected === "true") : at };
}

function walk(step) {
  const { rows, at } = rowsAndPlace();
  const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step))];
  if (!next) return;
  const target = next.querySelector(".wp-row-link") ?? next;
  if (target === next) next.tabIndex = -1;
  target.focus();
  next.scrollIntoView({ block: "nearest" });
}

/* Whether the key was one of the list's; a page without a list has none. */
export function listKey(key) {
  if (!document.querySelector(".wp-main .wp-table-box")) return false;
  if (key === "j") walk(1);
  else if (key === "k") walk(-1);
  else if (key === "x") {
    const { rows, at } = rowsAndPlace();
    rows[at]?.querySelector("input[data-pick]")?.click();
  } else return false;
  return true;
}

export const LIST_KEYS = [
  ["j k", "Next and previous row"],
  ["Enter", "Open the row"],
  ["x", "Choose the row"],
];

/* The ticked rows of a list: which they are, and nobody's any more. */

const boxes = (name) => [...document.querySelectorAll(`input[data-pick="${name}"]`)];

export const ticked = (name) => boxes(name).filter((box) => box.checked).map((box) => box.value);

/* Once something was asked for with the chosen rows, the next thing is asked for with others. */
export function untick(name) {
  boxes(name).forEach((box) => { box.checked = false; });
  document.dispatchEvent(new Event("change"));
}

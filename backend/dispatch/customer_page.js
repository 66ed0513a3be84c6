/* Looks whether the order or the conversation has moved, and if so draws the page anew; rests while
   nobody looks. Sends the page's forms without leaving it. */
const NEAR_MS = 10_000;
const FAR_MS = 30_000;
const LONGEST_MS = 120_000;

let pause = FAR_MS;

const order = () => document.getElementById("order");
const looked = () => [...document.querySelectorAll("[data-look]")];
const headline = () => order()?.querySelector("h1")?.textContent ?? "";
const answer = () => order()?.querySelector(".talk li:last-child[data-by=us]")?.textContent ?? "";
const pageOf = (text) => new DOMParser().parseFromString(text, "text/html");

function tell(words) {
  document.getElementById("news").textContent = words;
}

const ticked = (field) => field.type === "checkbox" || field.type === "radio";

function changed(field) {
  if (ticked(field)) return field.checked !== field.defaultChecked;
  if (field.options) return ![...field.options].every((each) => each.selected === each.defaultSelected);
  return field.value !== field.defaultValue;
}

/* What was typed, opened and focused stays so; what `sent` held is done with. */
function keep(fresh, sent) {
  for (const field of order().querySelectorAll("textarea, select, input[id]")) {
    const same = fresh.querySelector(`#${CSS.escape(field.id)}`);
    if (!same || field.form === sent || !changed(field)) continue;
    if (ticked(field)) same.checked = field.checked;
    else same.value = field.value;
  }
  for (const open of order().querySelectorAll("details[id][open]")) {
    const same = fresh.querySelector(`#${CSS.escape(open.id)}`);
    if (same && !open.contains(sent)) same.open = true;
  }
}

function draw(page, sent = null) {
  const fresh = page.getElementById("order");
  if (!fresh) {
    location.reload();
    return;
  }
  const before = { headline: headline(), answer: answer() };
  const focused = document.activeElement?.id;
  keep(fresh, sent);
  order().replaceWith(fresh);
  document.title = page.title;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  if (headline() !== before.headline) tell(headline());
  else if (answer() !== before.answer) tell(answer());
}

async function moved(part) {
  const got = await fetch(part.dataset.look, { cache: "no-store" });
  if (got.status === 404) {
    location.reload();
    return false;
  }
  if (!got.ok) throw new Error(String(got.status));
  return (await got.json()).revision !== part.dataset.revision;
}

async function look() {
  if (!document.hidden) {
    try {
      const news = await Promise.all(looked().map(moved));
      if (news.includes(true)) {
        const got = await fetch(location.href, { cache: "no-store" });
        draw(pageOf(await got.text()));
      }
      pause = order()?.dataset.near === undefined ? FAR_MS : NEAR_MS;
    } catch {
      pause = Math.min(LONGEST_MS, pause * 2);
    }
  }
  if (looked().length) setTimeout(look, pause);
}

async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.set(submitter.name, submitter.value);
  const told = form.querySelector("[role=status]");
  try {
    const got = await fetch(form.action, { method: "POST", body });
    const page = pageOf(await got.text());
    if (got.ok && page.documentElement.lang !== document.documentElement.lang) {
      location.assign(got.url);
      return;
    }
    if (got.ok && page.getElementById("order")) {
      const resting = !looked().length;
      const section = form.closest("section")?.id;
      draw(page, form);
      tell(document.querySelector(`#${section} [role=status]`)?.textContent ?? "");
      if (resting && looked().length) setTimeout(look, pause);
      return;
    }
    told.textContent = page.querySelector(".sorry p")?.textContent ?? document.body.dataset.unsent;
  } catch {
    told.textContent = document.body.dataset.unsent;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!order()?.contains(form)) return;
  event.preventDefault();
  // A second click while the first is under way sends nothing.
  if (form.dataset.sending !== undefined) return;
  form.dataset.sending = "";
  await send(form, event.submitter);
  delete form.dataset.sending;
});

document.addEventListener("DOMContentLoaded", () => {
  if (!looked().length) return;
  pause = order()?.dataset.near === undefined ? FAR_MS : NEAR_MS;
  setTimeout(look, pause);
});

/* Looks whether the order has moved, and if so draws the page anew; rests while nobody looks.
   Sends the stars of who has got their order. */
const NEAR_MS = 10_000;
const FAR_MS = 30_000;
const LONGEST_MS = 120_000;

let pause = FAR_MS;

const order = () => document.getElementById("order");
const headline = () => order()?.querySelector("h1")?.textContent ?? "";

async function renew() {
  const answer = await fetch(location.href, { cache: "no-store" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("order");
  if (!fresh) {
    location.reload();
    return;
  }
  const before = headline();
  order().replaceWith(fresh);
  document.title = page.title;
  if (headline() !== before) document.getElementById("news").textContent = headline();
}

async function look() {
  const token = order()?.dataset.follow;
  if (!token) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(`/api/track/${token}`, { cache: "no-store" });
      if (answer.status === 404) {
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      if (told.revision !== order().dataset.revision) await renew();
      pause = told.position ? NEAR_MS : FAR_MS;
    } catch {
      pause = Math.min(LONGEST_MS, pause * 2);
    }
  }
  setTimeout(look, pause);
}

async function rate(button) {
  const section = button.closest(".rate");
  const told = section.querySelector("[role=status]");
  const stars = Number(button.dataset.stars);
  try {
    const answer = await fetch(`/api/track/${section.dataset.token}/rating`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ stars }),
    });
    if (!answer.ok) throw new Error(String(answer.status));
  } catch {
    told.textContent = "That did not reach us. Please try again.";
    return;
  }
  for (const each of section.querySelectorAll("[data-stars]")) {
    const number = Number(each.dataset.stars);
    each.toggleAttribute("data-lit", number <= stars);
    each.setAttribute("aria-pressed", String(number === stars));
  }
  told.textContent = `Thank you for ${stars} of 5 stars.`;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-stars]");
  if (button) rate(button);
});

document.addEventListener("DOMContentLoaded", () => {
  if (!order()?.dataset.follow) return;
  pause = order().querySelector(".near") ? NEAR_MS : FAR_MS;
  setTimeout(look, pause);
});

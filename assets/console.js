/* Runs before the console is painted: theme, rail, one client token per session, menus. */
(() => {
  const root = document.documentElement;

  const setTheme = (theme) => {
    root.dataset.theme = theme;
    root.style.colorScheme = theme;
    localStorage.setItem("theme", theme);
    window.dispatchEvent(new CustomEvent("wp:theme", { detail: theme }));
  };
  const setRail = (rail) => {
    root.dataset.rail = rail;
    localStorage.setItem("rail", rail);
  };

  const signOut = () => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = "/auth/logout";
    document.body.append(form);
    form.submit();
  };

  const singleKeys = () => localStorage.getItem("single-keys") !== "off";
  const written = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])";
  const typing = (element) => element instanceof Element && element.closest(written) !== null;

  // Whoever speaks to their computer, or rests a hand on the keyboard, turns single keys off: then
  // no part of any page hears them, since this listener comes before all others.
  window.addEventListener("keydown", (event) => {
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
    if (singleKeys() || typing(event.target)) return;
    event.stopImmediatePropagation();
  }, true);

  window.waypost = {
    signOut,
    singleKeys,
    typing,
    setSingleKeys: (on) => localStorage.setItem("single-keys", on ? "on" : "off"),
    theme: () => root.dataset.theme,
    toggleTheme: () => setTheme(root.dataset.theme === "light" ? "dark" : "light"),
    toggleRail: () => setRail(root.dataset.rail === "narrow" ? "wide" : "narrow"),
  };

  // The server marks each sign-in with another tag. A tab that outlives its session drops its
  // client token, since the server ties every token to the session that used it first.
  const tag = document.cookie.split("; ").find((pair) => pair.startsWith("waypost-tab="));
  const seen = sessionStorage.getItem("waypost-tab");
  if (tag && seen !== tag) {
    if (seen) ["token", "waypost-notice"].forEach((name) => sessionStorage.removeItem(name));
    sessionStorage.setItem("waypost-tab", tag);
  }

  setTheme(localStorage.getItem("theme") === "light" ? "light" : "dark");
  setRail(localStorage.getItem("rail") === "narrow" ? "narrow" : "wide");

  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.wp-menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const action = target?.closest("[data-wp-action]")?.dataset.wpAction;
    if (action === "copy") {
      const from = document.getElementById(target.closest("[data-wp-from]").dataset.wpFrom);
      navigator.clipboard?.writeText(from.value).then(() => from.select());
    }
    if (action === "sign-out") signOut();
    if (action === "skip") document.getElementById("content")?.focus();
    if (action === "theme") window.waypost.toggleTheme();
    if (action === "rail") window.waypost.toggleRail();
    if (action === "palette") window.dispatchEvent(new CustomEvent("wp:palette"));
    if (action === "keys") window.dispatchEvent(new CustomEvent("wp:keys"));
    const menu = target?.closest("details.wp-menu");
    const chosen = menu && target.closest(".wp-menu-list a, .wp-menu-list button:not([data-wp-stay])");
    closeMenus(chosen ? null : menu);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.wp-menu[open]");
    closeMenus(null);
    open?.querySelector("summary")?.focus();
  });
})();

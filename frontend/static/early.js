// Runs before Gradio's own scripts, on every page.

(() => {
  "use strict";

  // Gradio asks the browser for its language and its theme: the switches of the header answer.
  const language = document.documentElement.lang;
  const locales = { en: "en-US", ru: "ru-RU" };
  Object.defineProperty(navigator, "language", { get: () => locales[language] });
  Object.defineProperty(navigator, "languages", { get: () => [locales[language], language] });

  const THEME = "farebox-theme";
  const systemMatchMedia = window.matchMedia.bind(window);
  const chosen = localStorage.getItem(THEME);
  if (chosen) {
    window.matchMedia = (query) => {
      const list = systemMatchMedia(query);
      if (!query.includes("prefers-color-scheme")) return list;
      const matches = query.includes(chosen);
      return new Proxy(list, {
        get: (target, name) => {
          if (name === "matches") return matches;
          const value = target[name];
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    };
  }
  const isDark = () =>
    chosen ? chosen === "dark" : systemMatchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("fb-dark", isDark());

  const here = () => location.pathname + location.search;

  const goToSignIn = (href) => {
    const url = new URL(href, location.origin);
    url.search = "";
    url.searchParams.set("after", here());
    location.assign(url);
  };

  // Forms of sign-in: the answer names the next page, or says what is wrong.
  const submit = async (form) => {
    const said = form.querySelector("[role=alert]");
    const button = form.querySelector("button[type=submit]");
    said.textContent = "";
    said.classList.remove("fb-good");
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    const data = new FormData(form);
    const after = new URLSearchParams(location.search).get("after");
    if (after) data.set("after", after);
    data.set("language", language);
    try {
      const answer = await fetch(form.action, { method: "POST", body: data });
      const told = await answer.json();
      if (told.location) {
        location.assign(told.location);
        return;
      }
      said.textContent = told.problem || told.said || "";
      said.classList.toggle("fb-good", Boolean(told.said));
      if (told.said) form.reset();
    } catch {
      said.textContent = form.dataset.unreachable;
    }
    button.disabled = false;
    form.removeAttribute("aria-busy");
  };

  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-in-place]")) {
      event.preventDefault();
      submit(event.target);
    }
  });

  document.addEventListener("click", async (event) => {
    const target = event.target.closest?.("[data-copy], [data-theme-switch], [data-forgot]");
    if (!target) return;
    if (target.matches("[data-theme-switch]")) {
      localStorage.setItem(THEME, isDark() ? "light" : "dark");
      location.reload();
    } else if (target.matches("[data-forgot]")) {
      const form = target.closest("form");
      const forgotten = new FormData();
      forgotten.set("email", form.elements.email.value);
      forgotten.set("language", language);
      const said = form.querySelector("[role=alert]");
      try {
        const answer = await fetch("/password-reset", { method: "POST", body: forgotten });
        const told = await answer.json();
        said.textContent = told.problem || told.said;
        said.classList.toggle("fb-good", Boolean(told.said));
      } catch {
        said.textContent = form.dataset.unreachable;
      }
    } else {
      const source = document.getElementById(target.dataset.copy);
      await navigator.clipboard.writeText(source.textContent);
      const before = target.textContent;
      target.textContent = target.dataset.copied;
      setTimeout(() => { target.textContent = before; }, 1500);
    }
  });

  // A session that ends: the message on the page has the link, and the page follows it. Gradio
  // cleans messages of all but plain links, so the link is known by where it leads.
  let following = false;
  const follow = () => {
    const ended = document.querySelector('a[href$="?ended"]');
    if (ended && !following) {
      following = true;
      setTimeout(() => goToSignIn(ended.getAttribute("href")), 1500);
    }
  };
  // Boxes for days become the browser's own, which write them as the API does.
  const chooseDays = () => {
    for (const box of document.querySelectorAll(".fb-date input[type=text]")) box.type = "date";
  };
  new MutationObserver(() => { follow(); chooseDays(); })
    .observe(document, { childList: true, subtree: true });

  document.addEventListener("visibilitychange", async () => {
    const signedIn = document.querySelector("[data-signed-in]");
    if (document.visibilityState !== "visible" || !signedIn) return;
    const answer = await fetch("/session", { cache: "no-store" }).catch(() => null);
    if (answer?.status === 401) goToSignIn(`/${language}/`);
  });
})();

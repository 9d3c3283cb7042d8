// Keeps a page as new as its service: reads it again, and puts in what has changed. Without it the pages work all the same.
(() => {
  const root = document.documentElement;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // Nobody has signed in: the browser knows in which zone its reader is.
  if (root.dataset.guest && zone && zone !== root.dataset.zone && !document.cookie.includes("deployers-zone=" + zone)) {
    document.cookie = "deployers-zone=" + zone + "; path=/; max-age=31536000; samesite=lax";
    if (document.cookie.includes("deployers-zone=" + zone)) location.reload();
  }
  const live = document.querySelector("main[data-live]");
  if (!live) return;
  const said = document.getElementById("say");
  // Which of several that say the same: that of this incident, of this form.
  const place = (e) => e.closest("[aria-labelledby]")?.getAttribute("aria-labelledby") + "|" + e.closest("form")?.querySelector("input")?.value;
  const key = (e) => [e.tagName, e.textContent, e.name, place(e)].join("|");
  // Whoever is choosing or writing something is not disturbed.
  const begun = (e) => e.tagName === "SELECT"
    ? !(e.selectedOptions[0]?.defaultSelected || (e.selectedIndex === 0 && ![...e.options].some((o) => o.defaultSelected)))
    : e.type !== "hidden" && e.value !== e.defaultValue;
  let failures = 0, timer = 0;
  const renew = async () => {
    const main = document.getElementById("main");
    const at = document.activeElement;
    if (document.hidden || !main.dataset.live || (main.contains(at) && at.matches("input, select, textarea"))) return;
    if ([...main.querySelectorAll("input, select, textarea")].some(begun)) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error", cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("main");
      if (!fresh) throw new Error("another page");
      document.querySelector(".when").replaceWith(page.querySelector(".when"));
      root.classList.remove("lost");
      failures = 0;
      if (fresh.textContent === main.textContent) return;
      if (fresh.dataset.say !== main.dataset.say) said.textContent = fresh.dataset.say;
      const focused = main.contains(at) && key(at);
      for (const open of main.querySelectorAll("details[open][id]")) {
        const same = fresh.querySelector("#" + CSS.escape(open.id));
        if (same) same.open = true;
      }
      main.replaceWith(fresh);
      if (focused) [...fresh.querySelectorAll("a, button, summary")].find((e) => key(e) === focused)?.focus({ preventScroll: true });
      if (page.title) document.title = page.title;
      // What is over is not asked for again.
      if (!fresh.dataset.live) clearInterval(timer);
    } catch {
      if (++failures > 1) root.classList.add("lost");
    }
  };
  timer = setInterval(renew, Number(live.dataset.live) * 1000);
  document.addEventListener("visibilitychange", renew);
})();

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
  const key = (e) => e && e.tagName + e.textContent + (e.name || "");
  let failures = 0;
  const renew = async () => {
    const main = document.querySelector("main[data-live]");
    const at = document.activeElement;
    // Whoever fills something in is not disturbed.
    if (document.hidden || (main.contains(at) && at.matches("input, select, textarea"))) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error", cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main[data-live]");
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
    } catch {
      if (++failures > 1) root.classList.add("lost");
    }
  };
  setInterval(renew, Number(live.dataset.live) * 1000);
  document.addEventListener("visibilitychange", renew);
})();

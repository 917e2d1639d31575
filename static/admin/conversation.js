// Looks every few seconds whether the conversation has gone on, and shows it; never while somebody is writing here.
(() => {
  const page = document.querySelector(".bo-conversation[data-look]");
  if (!page) return;
  const text = page.querySelector("#say");
  const busy = () => (text && text.value.trim()) || page.querySelector("details[open]");
  const look = async () => {
    try {
      const answer = await fetch(page.dataset.look, { credentials: "same-origin" });
      if (!answer.ok) return;
      const { state } = await answer.json();
      if (state === page.dataset.state) return;
      if (busy()) page.querySelector(".bo-fresh").hidden = false;
      else location.reload();
    } catch {
      // the network comes back, or the session is over: the next look tells
    }
  };
  setInterval(() => { if (!document.hidden) look(); }, 4000);
  // a second click while the first is under way would only be refused as a repetition
  page.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button")) setTimeout(() => { button.disabled = true; });
  });
})();

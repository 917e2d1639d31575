/* The chat's loader: puts the button into the page and fetches the chat itself when a visitor reaches for it.
   <script async src="https://chat.example.ru/widget.js" data-site="main"></script>
   Optional: data-locale="ru|en|auto", data-accent="#0b6", data-side="left", data-theme="light|dark",
   data-launcher="#own-button". Commands, safe at any time: aisales("open"), aisales("close"),
   aisales("prefill", text). Events on document: aisales:open, aisales:close, aisales:message. */
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || document.querySelector("aisales-chat")) return;

  const files = {{ files }};
  const origin = new URL(script.src).origin;
  const own = (path) => new URL(path, origin).href;
  const { site = "main", accent, side = "right", theme, launcher: ownButton, locale: wanted = "ru" } = script.dataset;
  const locale = (wanted === "auto" ? navigator.language.slice(0, 2) : wanted) === "en" ? "en" : "ru";
  const label = { ru: "Открыть чат", en: "Open the chat" }[locale];

  // what the page asked for before the chat was there
  const queue = (window.aisales && window.aisales.q) || [];
  let chat = null;
  let loading = null;
  let tries = 0;

  const host = document.createElement("aisales-chat");
  host.popover = "manual";
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  // !important inside a shadow wins over !important of the page: nothing of the page's styles reaches us
  sheet.replaceSync(`
    :host { all: initial !important; position: fixed !important; z-index: 2147482647 !important;
      inset: auto ${side === "left" ? "auto" : "0"} 0 ${side === "left" ? "0" : "auto"} !important; display: block !important; }
    .launcher { all: unset; box-sizing: border-box; position: fixed; bottom: max(20px, env(safe-area-inset-bottom));
      ${side === "left" ? "left" : "right"}: 20px; width: 56px; height: 56px; border-radius: 50%; cursor: pointer;
      display: grid; place-items: center; color: var(--ais-on-accent, #fff); background: var(--ais-accent, #3452d9);
      box-shadow: 0 2px 6px rgb(15 23 42 / .18), 0 10px 28px rgb(15 23 42 / .24); transition: transform .15s; }
    .launcher:hover { transform: translateY(-2px); }
    .launcher:focus-visible { outline: 3px solid var(--ais-accent, #3452d9); outline-offset: 3px; }
    .launcher[hidden] { display: none; }
    .launcher svg { width: 28px; height: 28px; }
    .badge { position: absolute; top: -4px; right: -4px; min-width: 22px; height: 22px; padding: 0 6px; box-sizing: border-box;
      border-radius: 11px; background: #d92d20; color: #fff; font: 700 12px/22px system-ui, sans-serif; text-align: center; }
    .badge:empty { display: none; }
    @media (forced-colors: active) { .launcher { border: 2px solid ButtonText; } }
    @media (prefers-reduced-motion: reduce) { .launcher { transition: none; } .launcher:hover { transform: none; } }
  `);
  root.adoptedStyleSheets = [sheet];

  const button = document.createElement("button");
  button.type = "button";
  button.className = "launcher";
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", "false");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("fill", "currentColor");
  path.setAttribute("d", "{{ icon }}");
  svg.append(path);
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.setAttribute("aria-hidden", "true");
  button.append(svg, badge);
  button.hidden = Boolean(ownButton);
  root.append(button);

  if (theme) host.dataset.theme = theme;
  const parts = /^#?([\da-f])([\da-f])([\da-f])$|^#?([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(accent || "");
  if (parts) {
    const rgb = parts.slice(1).filter(Boolean).map((hex) => parseInt(hex.length === 1 ? hex + hex : hex, 16));
    const [r, g, b] = rgb.map((byte) => (byte / 255 <= 0.03928 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4));
    const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    host.style.setProperty("--ais-accent", `rgb(${rgb.join(" ")})`);
    // whichever of the two is read better; one of them always has 4.5:1
    host.style.setProperty("--ais-on-accent", 1.05 / (light + 0.05) >= (light + 0.05) / 0.0548 ? "#fff" : "#0d0f14");
  }

  // a module that failed to load once is remembered by the browser as failed: the next try needs another address
  const fetched = (file) => import(own(file) + (tries ? `?try=${tries}` : ""));
  const load = () =>
    (loading ||= Promise.all([fetched(files.core), fetched(files[locale])])
      .then(([core, words]) => {
        const config = { origin, site, locale, side, consent: own(files.consent), privacy: own(files.privacy) };
        chat = core.start({ host, root, launcher: button, badge, config, words: words.default });
      })
      .catch((problem) => {
        loading = null; // the next click tries again
        tries += 1;
        throw problem;
      }));

  const run = (command, ...rest) => load().then(() => chat[command] && chat[command](...rest));
  const toggle = () => run("toggle").catch(() => {});
  const warm = () => load().catch(() => {});

  const attach = (target) => {
    target.addEventListener("pointerenter", warm, { once: true });
    target.addEventListener("click", toggle);
  };
  const show = () => {
    document.body.append(host);
    // the top layer: a transform or a filter on the page's body would else carry our corner away
    host.showPopover?.();
    attach(button);
    if (ownButton) document.querySelectorAll(ownButton).forEach(attach);
  };
  document.body ? show() : document.addEventListener("DOMContentLoaded", show);

  window.aisales = (...command) => {
    if (chat || command[0] !== "close") run(...command).catch(() => {});
  };
  queue.forEach((command) => window.aisales(...command));
})();

/**
 * The web chat. One ES module without build or dependencies, fetched by /widget.js; one file, because Django gives
 * hashed names to files and not to the imports inside them. Nothing here writes HTML: every text becomes a text node.
 *
 * @typedef {{code?: string, name: string, detail?: string, amount: string|null}} Line
 * @typedef {{kind: string, text?: string, [field: string]: any}} Card
 * @typedef {{article: string, title: string}} Citation
 * @typedef {"customer"|"assistant"|"operator"|"system"} Author
 * @typedef {{seq: number, author: Author, text: string, cards: Card[], citations: Citation[], created_at: string,
 *   mine?: boolean}} Message
 * @typedef {{client_id: string, text: string, at: number, after: number, since: number, flying: boolean,
 *   refused: boolean}} Pending
 * @typedef {{origin: string, site: string, locale: string, side: string, consent: string, privacy: string}} Config
 */

const LIMIT = 4000; // characters of a message, as the server counts them
const ACK_WAIT = 10_000; // a message without an acknowledgement for so long is shown as not sent
const LATE = 15_000; // an answer that takes longer gets a word of comfort
const POLL = 2_000; // how often history is asked for while no socket works
const PATIENCE = 6_000; // a socket that isn't ready by then is given up
const PING = 25_000;
const NBSP = "\u00a0";

// --- small tools -------------------------------------------------------------------------------------------------

/** An element with attributes, listeners ("onclick") and children; null and false children are left out. */
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const ICONS = {
  close: "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4Z",
  send: "M3.4 20.4 21.5 12 3.4 3.6 3.4 10.1 15 12 3.4 13.9Z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm0 2c-3.6 0-8 1.8-8 5v1h16v-1c0-3.2-4.4-5-8-5Z",
  bot: "M5 4h14a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3h-6l-5 4v-4H5a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3Zm3 6v3h2v-3Zm6 0v3h2v-3Z",
  file: "M6 2h8l5 5v13a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2Zm7.5 1.8V7.5h3.7Z",
  check: "m9.5 17.2-4.7-4.7 1.4-1.4 3.3 3.3 8.3-8.3 1.4 1.4Z",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  path.setAttribute("fill", "currentColor");
  svg.append(path);
  return svg;
}

/** "657600.00" as «657 600,00 ₽». Works on the digits: a float would round somebody's money. */
export function money(amount, locale = "ru") {
  const [, sign, whole, kopecks] = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(String(amount)) || [];
  if (whole === undefined) return String(amount);
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, NBSP);
  return `${sign ? "−" : ""}${groups}${locale === "ru" ? "," : "."}${(kopecks || "").padEnd(2, "0")}${NBSP}₽`;
}

/** The address if it is one we let a visitor follow, else null. */
export function safeAddress(raw) {
  // browsers skip these inside an address, so that "java\nscript:" is a scheme
  const address = raw.replace(/[\u0000-\u0020\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]/g, "");
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(address)) return null;
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}

const points = (text) => [...text].length;
const same = (one, other) => one.normalize("NFC").trim() === other.normalize("NFC").trim();

// --- Markdown: a small part of it, as nodes ----------------------------------------------------------------------

const BULLET = /^(\s*)([-*+•]|\d{1,9}[.)])\s+(\S.*)$/;
const FENCE = /^\s{0,3}(```+|~~~+)/;
const DEEPEST = 6;

/** Model's Markdown as nodes: bold, italics, code, links, lists, tables, quotes; headings are bold lines. */
export function markdown(source, words = {}) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(source.replace(/\r\n?/g, "\n").split("\n"), words, 0));
  return fragment;
}

const ruled = (line) => /^\s{0,3}([-*_])\s*(?:\1\s*){2,}$/.test(line);
const cells = (line) => {
  const row = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  return row.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
};
const tableAt = (lines, at) =>
  lines[at].includes("|") && at + 1 < lines.length && lines[at + 1].includes("-") &&
  cells(lines[at + 1]).every((cell) => /^:?-+:?$/.test(cell)) && cells(lines[at]).length === cells(lines[at + 1]).length;

function blocks(lines, words, depth) {
  const out = [];
  let at = 0;
  const startsBlock = (line, index) =>
    FENCE.test(line) || /^\s{0,3}#{1,6}\s/.test(line) || /^\s{0,3}>/.test(line) || ruled(line) || BULLET.test(line) || tableAt(lines, index);
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) {
      at += 1;
    } else if (FENCE.test(line)) {
      const fence = FENCE.exec(line)[1];
      const code = [];
      for (at += 1; at < lines.length && !lines[at].trim().startsWith(fence); at += 1) code.push(lines[at]);
      at += 1;
      out.push(h("pre", { tabindex: "0" }, h("code", {}, code.join("\n"))));
    } else if (/^\s{0,3}#{1,6}\s/.test(line)) {
      out.push(h("p", { class: "heading" }, h("strong", {}, inline(line.replace(/^\s*#+\s+/, "").replace(/\s+#+\s*$/, "")))));
      at += 1;
    } else if (ruled(line)) {
      out.push(h("hr"));
      at += 1;
    } else if (/^\s{0,3}>/.test(line)) {
      const quoted = [];
      for (; at < lines.length && lines[at].trim(); at += 1) quoted.push(lines[at].replace(/^\s{0,3}>\s?/, ""));
      out.push(h("blockquote", {}, depth < DEEPEST ? blocks(quoted, words, depth + 1) : quoted.join("\n")));
    } else if (BULLET.test(line)) {
      at = list(lines, at, out, words, depth);
    } else if (tableAt(lines, at)) {
      const head = cells(line);
      const rows = [];
      for (at += 2; at < lines.length && lines[at].includes("|"); at += 1) rows.push(cells(lines[at]));
      const row = (texts, tag) => h("tr", {}, head.map((_, index) => h(tag, tag === "th" ? { scope: "col" } : {}, inline(texts[index] || ""))));
      out.push(
        h("div", { class: "wide", role: "region", tabindex: "0", "aria-label": words.table || "" },
          h("table", {}, h("thead", {}, row(head, "th")), h("tbody", {}, rows.map((texts) => row(texts, "td"))))),
      );
    } else {
      const paragraph = [line];
      for (at += 1; at < lines.length && lines[at].trim() && !startsBlock(lines[at], at); at += 1) paragraph.push(lines[at]);
      out.push(h("p", {}, inline(paragraph.map((each) => each.trim()).join("\n"))));
    }
  }
  return out;
}

function list(lines, at, out, words, depth) {
  const [, indent, marker] = BULLET.exec(lines[at]);
  const ordered = /\d/.test(marker);
  const items = [];
  while (at < lines.length) {
    const bullet = BULLET.exec(lines[at]);
    if (bullet && bullet[1].length <= indent.length) {
      if (/\d/.test(bullet[2]) !== ordered || bullet[1].length < indent.length) break;
      items.push([bullet[3]]);
    } else if (!lines[at].trim()) {
      const next = lines[at + 1] || "";
      if (!/^\s{2,}\S/.test(next) && !BULLET.test(next)) break;
      items.at(-1).push("");
    } else if (bullet || /^\s{2,}/.test(lines[at]) || items.at(-1).at(-1)) {
      items.at(-1).push(lines[at].slice(Math.min(lines[at].search(/\S/), indent.length + 2)));
    } else {
      break;
    }
    at += 1;
  }
  const node = h(ordered ? "ol" : "ul", ordered && parseInt(marker, 10) !== 1 ? { start: parseInt(marker, 10) } : {});
  for (const item of items) {
    const inside = depth < DEEPEST ? blocks(item, words, depth + 1) : [item.join("\n")];
    // an item of one paragraph is a line, not a paragraph
    const first = inside[0] && inside[0].nodeName === "P" && inside[0].className === "" ? [...inside.shift().childNodes] : [];
    node.append(h("li", {}, first, inside));
  }
  out.push(node);
  return at;
}

/** One run of text as nodes. A mark that isn't closed is only a character; what failed once isn't looked for again. */
function inline(text, depth = 0, linked = false) {
  const out = [];
  const hopeless = new Set();
  let pairs;
  let plain = "";
  let at = 0;
  const put = (...nodes) => {
    if (plain) out.push(plain);
    plain = "";
    out.push(...nodes);
  };
  while (at < text.length) {
    const rest = text[at];
    if (rest === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] || "")) {
      plain += text[at + 1];
      at += 2;
    } else if (rest === "\n") {
      put(h("br"));
      at += 1;
    } else if (rest === "`") {
      const ticks = /^`+/.exec(text.slice(at, at + 20))[0];
      const end = hopeless.has(ticks) ? -1 : text.indexOf(ticks, at + ticks.length);
      if (end < 0) {
        hopeless.add(ticks);
        plain += ticks;
        at += ticks.length;
      } else {
        put(h("code", {}, text.slice(at + ticks.length, end).trim()));
        at = end + ticks.length;
      }
    } else if (rest === "[" || (rest === "!" && text[at + 1] === "[")) {
      const link = depth < DEEPEST ? linkAt(text, rest === "!" ? at + 1 : at, (pairs ||= brackets(text))) : null;
      if (!link) {
        plain += rest;
        at += 1;
        continue;
      }
      const address = safeAddress(link.target);
      // a picture would be fetched by itself and carry away what its address holds: only its words are shown
      if (rest === "!" || linked || !address) put(...inline(link.label, depth + 1, linked));
      else put(...anchor(address, inline(link.label, depth + 1, true), link.label));
      at = link.end;
    } else if (rest === "*" || rest === "_" || (rest === "~" && text[at + 1] === "~")) {
      const run = /^(\*{1,3}|_{1,3}|~~)/.exec(text.slice(at, at + 3))[0];
      const end = depth < DEEPEST && !hopeless.has(run) ? closing(text, at, run) : -1;
      if (end < 0) {
        if (end === -1) hopeless.add(run);
        plain += run;
        at += run.length;
      } else {
        const inside = inline(text.slice(at + run.length, end), depth + 1, linked);
        if (run === "~~") put(h("s", {}, inside));
        else if (run.length === 3) put(h("strong", {}, h("em", {}, inside)));
        else put(h(run.length === 2 ? "strong" : "em", {}, inside));
        at = end + run.length;
      }
    } else if (!linked && (rest === "h" || rest === "H") && !/[\p{L}\p{N}:]/u.test(text[at - 1] || "") && /^https?:\/\/\S/i.test(text.slice(at, at + 9))) {
      let found = /^https?:\/\/[^\s<>"'`*|]*/i.exec(text.slice(at, at + 2000))[0].replace(/[.,;:!?»…\]]+$/, "");
      if (found.endsWith(")") && !found.includes("(")) found = found.replace(/\)+[.,;:!?]*$/, "");
      const address = safeAddress(found);
      if (address) put(...anchor(address, [found], found));
      else plain += found;
      at += found.length;
    } else {
      plain += rest;
      at += 1;
    }
  }
  put();
  return out;
}

/** A link and, where its words hide another site, the name of that site. */
function anchor(address, content, label) {
  const url = new URL(address);
  const web = url.protocol.startsWith("http");
  const link = h("a", { href: address, ...(web ? { target: "_blank", rel: "noopener noreferrer nofollow" } : {}) }, content);
  return web && url.host !== location.host && !label.includes(url.hostname) ? [link, ` (${url.host})`] : [link];
}

/** Which `]` closes which `[`, found in one pass. */
function brackets(text) {
  const pairs = new Map();
  const open = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "[") open.push(at);
    else if (text[at] === "]" && open.length) pairs.set(open.pop(), at);
  }
  return pairs;
}

/** `[label](target)` at this place, or null. */
function linkAt(text, at, pairs) {
  const end = pairs.get(at);
  if (end === undefined || text[end + 1] !== "(") return null;
  const [found, target] = /^\(([^)]*)\)/.exec(text.slice(end + 1, end + 2000)) || [];
  if (found === undefined) return null;
  return { label: text.slice(at + 1, end), target: target.trim().replace(/^<(.*)>$/, "$1").split(/\s+["'(]/)[0], end: end + 1 + found.length };
}

/** Where the emphasis opened at this place ends; -1 when nothing later can close it, -2 when this can't open. */
function closing(text, at, run) {
  const mark = run[0];
  const word = (index) => /[\p{L}\p{N}]/u.test(text[index] || "");
  if (/\s|^$/.test(text[at + run.length] || "") || (mark === "_" && word(at - 1))) return -2;
  for (let end = text.indexOf(run, at + run.length + 1); end >= 0; end = text.indexOf(run, end + 1)) {
    if (/[\s\\]/.test(text[end - 1])) continue;
    if (text[end - 1] === mark || (text[end + run.length] === mark && run.length < 3)) {
      // part of a longer run: `**` doesn't close `*`
      while (text[end] === mark) end += 1;
      continue;
    }
    if (mark === "_" && word(end + run.length)) continue;
    return end;
  }
  return -1;
}

// --- the store: what a reload must not lose ----------------------------------------------------------------------

/** localStorage under the site's key; a browser that refuses it gets a memory that lasts as long as the page. */
class Store {
  constructor(site) {
    this.prefix = `aisales:${site}:`;
    this.memory = new Map();
  }

  get(name) {
    try {
      const kept = localStorage.getItem(this.prefix + name);
      if (kept !== null) return JSON.parse(kept);
    } catch {
      // refused
    }
    return this.memory.get(name) ?? null;
  }

  set(name, value) {
    this.memory.set(name, value);
    try {
      localStorage.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      // refused
    }
  }

  remove(name) {
    this.memory.delete(name);
    try {
      localStorage.removeItem(this.prefix + name);
    } catch {
      // refused
    }
  }

  /** Names that start so. */
  names(start) {
    const found = new Set([...this.memory.keys()].filter((name) => name.startsWith(start)));
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(this.prefix + start)) found.add(key.slice(this.prefix.length));
      }
    } catch {
      // refused
    }
    return [...found];
  }
}

// --- the talk: what is known of the conversation -----------------------------------------------------------------

class Talk {
  constructor(store) {
    this.store = store;
    /** @type {Map<number, Message>} */ this.messages = new Map();
    /** @type {Map<string, Pending>} */ this.pending = new Map();
    /** @type {{turn: string, text: string}|null} */ this.draft = null; // an answer that is being written
    this.mode = "assistant";
    this.writing = { author: "", until: 0 };
    this.known = 0; // everything up to this number is here
    this.last = 0; // the highest number that came, with gaps below it or not
    for (const name of store.names("out:")) {
      const kept = store.get(name);
      if (kept) this.pending.set(name.slice(4), { ...kept, client_id: name.slice(4), since: Date.now(), flying: false, refused: false });
    }
  }

  /** Keep a message that came; false when it was here already. */
  take(message) {
    if (!Number.isInteger(message.seq) || this.messages.has(message.seq)) return false;
    this.messages.set(message.seq, { ...message, cards: message.cards || [], citations: message.citations || [] });
    while (this.messages.has(this.known + 1)) this.known += 1;
    this.last = Math.max(this.last, message.seq);
    if (message.author !== "customer") {
      this.draft = null;
      this.writing.until = 0;
    }
    return true;
  }

  /** Words of an answer that is being written; another draft takes the place of the one before. */
  grow(turn, text) {
    this.draft = this.draft?.turn === turn ? { turn, text: this.draft.text + text } : { turn, text };
  }

  /** Write a message down before it is sent, so that a reload or a lost line can't lose it. */
  write(text) {
    const client_id = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    const item = { client_id, text, at: Date.now(), after: this.last, since: Date.now(), flying: false, refused: false };
    this.pending.set(client_id, item);
    this.store.set(`out:${client_id}`, { text, at: item.at, after: item.after });
    return item;
  }

  /** The server has stored a message of ours under this number. */
  acknowledge(client_id, seq) {
    const item = this.pending.get(client_id);
    this.forget(client_id);
    if (item) this.take({ seq, author: "customer", text: item.text, cards: [], citations: [], created_at: new Date(item.at).toISOString(), mine: true });
  }

  forget(client_id) {
    this.pending.delete(client_id);
    this.store.remove(`out:${client_id}`);
  }

  sorted() {
    return [...this.messages.values()].sort((one, other) => one.seq - other.seq);
  }

  /**
   * What we wrote and nobody has acknowledged. A message whose acknowledgement was lost comes back in the history, which
   * doesn't say whose it is: until the repeated acknowledgement tells, the same words count as the same message.
   */
  waiting() {
    const claimed = new Set();
    const sorted = this.sorted();
    return [...this.pending.values()].filter((item) => {
      const twin = sorted.find(
        (each) => each.author === "customer" && !each.mine && each.seq > item.after && !claimed.has(each.seq) && same(each.text, item.text),
      );
      if (twin) claimed.add(twin.seq);
      return !twin;
    });
  }

  /** The customer's message that nobody has answered yet. */
  unanswered() {
    const last = this.sorted().at(-1);
    return last && last.author === "customer" ? last : null;
  }
}

// --- the wire: how it gets here and there ------------------------------------------------------------------------

class Wire {
  /** `came` gets each message of others that isn't old history; `lost` is told that the conversation is gone. */
  constructor({ config, store, talk, changed, came, lost }) {
    Object.assign(this, { config, store, talk, changed, came, lost });
    this.session = store.get("session");
    this.socket = null;
    this.ready = false;
    this.reachable = false; // by REST, while no socket works
    this.synced = false; // history has been here once
    this.old = 0; // up to this number it is history and isn't announced
    this.failures = 0;
    this.downSince = 0;
    this.heard = 0;
    this.notBefore = 0;
    this.running = false;
  }

  /** Begin, or go on with, the conversation; safe to call at any time. */
  start() {
    if (!this.running) {
      this.running = true;
      this.downSince = Date.now();
      setInterval(() => this.tick(), 1000);
      addEventListener("online", () => this.hurry());
      addEventListener("offline", () => this.changed());
      addEventListener("pageshow", () => this.hurry());
      document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
    }
    this.hurry();
  }

  /** Don't wait for the next try: something says that it may work now. */
  hurry() {
    if (!this.running) return;
    if (this.ready) this.ping();
    else this.retryAt = 0;
    this.step();
  }

  get offline() {
    if (this.ready || !this.running) return false;
    return navigator.onLine === false || (!this.reachable && Date.now() - this.downSince > 1500);
  }

  tick() {
    if (this.ready) {
      if (Date.now() - this.heard > PING && Date.now() - (this.pinged || 0) > PING) this.ping();
      // asked, and nothing came: the line is dead though nobody told us
      if (this.pinged > this.heard && Date.now() - this.pinged > PATIENCE) this.drop();
      if ([...this.talk.pending.values()].some((item) => item.flying && !item.refused && Date.now() - item.since > ACK_WAIT)) this.drop();
      if (this.talk.last > this.talk.known && (this.gapSince ||= Date.now()) < Date.now() - 1500) this.fill();
      if (this.notBefore && Date.now() > this.notBefore) this.flush();
    }
    this.step();
    this.changed();
  }

  step() {
    if (!this.session) this.begin();
    else if (!this.socket && Date.now() >= (this.retryAt || 0)) this.connect();
    if (this.session && !this.ready && this.failures >= 3 && Date.now() - (this.polled || 0) >= POLL - 100) this.poll();
  }

  /** Open a conversation, when the visitor has agreed and has something to say. */
  async begin() {
    if (this.beginning || !this.talk.pending.size || Date.now() < (this.retryAt || 0)) return;
    this.beginning = true;
    const open = async () => {
      this.session = this.store.get("session"); // another tab may have been faster
      if (this.session) return;
      // the address without its query and fragment: they may hold what isn't ours to know
      const answer = await this.ask("POST", "sessions", { consent: true, page_url: location.origin + location.pathname });
      if (answer.status === 201) {
        this.session = { id: answer.body.id, token: answer.body.token };
        this.store.set("session", this.session);
      } else {
        throw Object.assign(new Error("no session"), { status: answer.status, after: answer.after });
      }
    };
    try {
      await (navigator.locks ? navigator.locks.request(`${this.store.prefix}session`, open) : open());
      this.downSince = Date.now();
      this.retryAt = 0;
    } catch (problem) {
      this.failures += 1;
      this.retryAt = Date.now() + Math.max(this.pause(), (problem.after || 0) * 1000);
    } finally {
      this.beginning = false;
    }
    if (this.session) this.step();
    this.changed();
  }

  connect() {
    const socket = new WebSocket(`${this.config.origin.replace(/^http/, "ws")}/chat/ws/${encodeURIComponent(this.session.id)}`);
    this.socket = socket;
    const limit = setTimeout(() => !this.ready && this.socket === socket && this.drop(), PATIENCE);
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token: this.session.token, after: this.talk.known }));
    socket.onmessage = (event) => {
      if (this.socket !== socket) return;
      this.heard = Date.now();
      let frame;
      try {
        frame = JSON.parse(event.data);
      } catch {
        return;
      }
      this.receive(frame);
    };
    socket.onclose = (event) => {
      clearTimeout(limit);
      if (this.socket === socket) this.closed(event.code);
    };
  }

  /** Give this socket up, without waiting for it to notice. */
  drop() {
    const socket = this.socket;
    this.closed(4000);
    if (socket) socket.close();
  }

  closed(code) {
    if (this.ready) this.downSince = Date.now();
    this.socket = null;
    this.ready = false;
    this.failures += 1;
    this.talk.draft = null;
    for (const item of this.talk.pending.values()) item.flying = false;
    this.retryAt = Date.now() + (code === 4429 ? 10_000 : this.pause());
    if (code === 4401) this.check();
    setTimeout(() => this.step(), Math.max(0, this.retryAt - Date.now()) + 5);
    this.changed();
  }

  /** Doubling, with a cap: short in the first minute, when the visitor is looking. */
  pause() {
    const cap = Date.now() - this.downSince < 60_000 ? 5000 : 30_000;
    return Math.min(cap, 400 * 2 ** Math.min(this.failures, 10)) * (0.8 + Math.random() * 0.2);
  }

  ping() {
    this.pinged = Date.now();
    this.send({ type: "ping" });
  }

  send(frame) {
    if (this.ready && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  receive(frame) {
    const { talk } = this;
    if (frame.type === "ready") {
      this.ready = true;
      this.failures = 0;
      this.pinged = 0;
      if (!this.synced) this.old = frame.seq;
      this.synced = true;
      talk.draft = null;
      this.flush();
    } else if (frame.type === "message") {
      this.take(frame.message);
    } else if (frame.type === "ack") {
      talk.acknowledge(frame.client_id, frame.seq);
    } else if (frame.type === "delta") {
      talk.grow(frame.turn, frame.text);
    } else if (frame.type === "typing" && frame.author !== "customer") {
      talk.writing = { author: frame.author, until: Date.now() + 6000 };
    } else if (frame.type === "state") {
      talk.mode = frame.mode;
      if (!["assistant", "waiting"].includes(talk.mode)) talk.draft = null;
    } else if (frame.type === "error") {
      this.blame(frame);
    }
    this.changed();
  }

  take(message) {
    if (this.talk.take(message) && message.author !== "customer" && message.seq > this.old) this.came(message);
    if (this.talk.last === this.talk.known) this.gapSince = 0;
  }

  /** An error that names no message is about the first that is on its way: they are taken in order. */
  blame({ code, client_id }) {
    const flying = [...this.talk.pending.values()].filter((each) => each.flying);
    const item = client_id ? flying.find((each) => each.client_id === client_id) : flying[0];
    if (!item) return;
    item.flying = false;
    if (/rate|limit|throttl|slow|busy|unavailable/.test(code)) this.notBefore = Date.now() + 4000;
    else this.refuse(item, code);
  }

  /** The server won't have this message, now or later. */
  refuse(item, code) {
    item.refused = true;
    if (code === "closed") this.talk.mode = "closed";
  }

  /** Send everything that waits, in the order in which it was written. */
  flush() {
    if (Date.now() < this.notBefore) return;
    this.notBefore = 0;
    for (const item of this.talk.pending.values()) {
      if (item.flying || item.refused || !this.ready) continue;
      Object.assign(item, { flying: true, since: Date.now() });
      this.send({ type: "message", client_id: item.client_id, text: item.text });
    }
    this.changed();
  }

  // -- without a socket: the same by REST

  async ask(method, path, body) {
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (this.session) headers.Authorization = `Bearer ${this.session.token}`;
    const answer = await fetch(`${this.config.origin}/api/v1/chat/${path}`, {
      method, headers, body: body && JSON.stringify(body),
      credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer", signal: AbortSignal.timeout?.(10_000),
    });
    const json = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : null;
    return { status: answer.status, body: json, after: Number(answer.headers.get("Retry-After")) || 0 };
  }

  get path() {
    return `sessions/${encodeURIComponent(this.session.id)}/messages`;
  }

  async poll() {
    if (this.polling) return;
    this.polling = true;
    this.polled = Date.now();
    try {
      await this.history();
      this.reachable = true;
      for (const item of [...this.talk.pending.values()]) {
        if (this.ready || item.flying || item.refused) continue;
        const answer = await this.ask("POST", this.path, { client_id: item.client_id, text: item.text });
        if (answer.status === 202) this.talk.acknowledge(item.client_id, answer.body.seq);
        else if ([400, 409, 413].includes(answer.status)) this.refuse(item, answer.status === 409 ? "closed" : "");
        else break;
      }
    } catch {
      this.reachable = false;
      if (this.downSince === 0) this.downSince = Date.now();
    } finally {
      this.polling = false;
    }
    this.changed();
  }

  /** Fetch what is missing. A conversation that isn't ours any more is given up. */
  async history() {
    for (let full = true; full; ) {
      const answer = await this.ask("GET", `${this.path}?after=${this.talk.known}`);
      if (answer.status === 404) return this.lost();
      if (answer.status !== 200) throw new Error(`history: ${answer.status}`);
      const { messages } = answer.body;
      const before = this.talk.known;
      if (!this.synced) this.old = Math.max(this.old, ...messages.map((message) => message.seq));
      messages.forEach((message) => this.take(message));
      full = messages.length >= 500 && this.talk.known > before;
    }
    this.synced = true;
  }

  /** A number is missing between those that came: the bell dropped it, the database has it. */
  async fill() {
    this.gapSince = Date.now() + 3000;
    await this.history().catch(() => {});
    this.changed();
  }

  /** The token was refused: by a mistake, or is the conversation gone? */
  check() {
    this.history().catch(() => {});
  }

  /** The conversation is over for this browser. */
  reset() {
    this.session = null;
    this.synced = false;
    this.old = 0;
    this.failures = 0;
    const socket = this.socket;
    this.socket = null;
    this.ready = false;
    if (socket) socket.close();
  }
}

// --- cards -------------------------------------------------------------------------------------------------------

/** Builders by kind. `live`: nobody has written since; `fresh`: it came just now; `said`: the message's words. */
const CARDS = {
  quote(card, { t, locale }) {
    const row = (name, amount, kind = "", detail = "") =>
      h("tr", { class: kind },
        h("th", { scope: "row" }, name, detail && h("small", {}, detail)),
        h("td", {}, amount === null ? t("on_request") : money(amount, locale)));
    const discounts = card.discounts || [];
    const nonzero = (amount) => amount && Number(amount) !== 0;
    const period = { month: "period_month", year: "period_year" }[card.billing_period];
    return h("section", { class: "card quote", "aria-label": t("quote") },
      h("header", {}, h("strong", {}, card.number ? t("quote_number", { number: card.number }) : t("quote")), period && h("small", {}, t(period))),
      h("table", {},
        h("tbody", {}, (card.lines || []).map((line) => row(line.name, line.amount, "", line.detail))),
        discounts.length > 0 && h("tbody", {},
          nonzero(card.subscription) && row(t("subscription"), card.subscription, "part"),
          discounts.map((discount) => row(discount.name, `-${String(discount.amount).replace(/^-/, "")}`, "discount")),
          nonzero(card.services) && row(t("services"), card.services, "part")),
        h("tfoot", {}, row(t("total"), card.total, "total"))),
      h("footer", {},
        card.vat?.words && h("p", {}, card.vat.words),
        card.valid_until && h("p", {}, t("valid_until", { date: day(card.valid_until, locale) })),
        card.on_request && h("p", {}, t("needs_manager"))));
  },

  document(card, { t, locale, origin, fresh }) {
    let address = null;
    try {
      const url = new URL(card.url, origin);
      if (["http:", "https:"].includes(url.protocol)) address = url.href;
    } catch {
      // no link yet
    }
    const size = !card.size ? "" : card.size < 1e6
      ? t("kilobytes", { size: Math.max(1, Math.round(card.size / 1000)) })
      : t("megabytes", { size: (card.size / 1e6).toLocaleString(locale, { maximumFractionDigits: 1 }) });
    const kind = card.media_type === "application/pdf" ? "PDF" : "";
    const number = card.number && !card.title?.includes(card.number) && t("document_number", { number: card.number });
    const about = [number, kind, size].filter(Boolean).join(" · ");
    return h("section", { class: "card file", "aria-label": t("document") },
      h("div", { class: "sheet" }, icon("file")),
      h("div", { class: "name" }, h("strong", {}, card.title || card.text || t("document")), about && h("small", {}, about),
        (!address || (fresh && !card.size)) && h("small", {}, t("preparing"))),
      address && h("a", { class: "button", href: address, target: "_blank", rel: "noopener noreferrer",
        "aria-label": `${t("download")}: ${card.title || t("document")} (${t("opens_apart")})` }, t("download")));
  },

  choices(card, { live, say, said, t }) {
    if (!live) return null;
    const labels = (card.options || []).map((option) => option.label).join(" · "); // for channels without buttons
    return h("div", { class: "choices", role: "group", "aria-label": card.text || t("chips") },
      card.text && card.text !== labels && !said.includes(card.text) && h("p", {}, card.text),
      (card.options || []).map((option) => h("button", { type: "button", class: "chip", onclick: () => say(option.text || option.label) }, option.label)));
  },

  contact(card, { live, say, said, t }) {
    if (!live) return null;
    const known = { name: ["text", "name"], phone: ["tel", "tel"], email: ["email", "email"] };
    const fields = (card.fields || []).filter((field) => known[field]);
    const inputs = Object.fromEntries(fields.map((field) =>
      [field, h("input", { type: known[field][0], autocomplete: known[field][1], maxlength: "120", name: field })]));
    const problem = h("p", { class: "problem", role: "alert", hidden: true });
    const value = (field) => inputs[field]?.value.trim() || "";
    const submit = (event) => {
      event.preventDefault();
      const digits = value("phone").replace(/\D/g, "").length;
      const wrong =
        (!value("phone") && !value("email") && (inputs.phone || inputs.email) && ["contact_needed", inputs.phone || inputs.email]) ||
        (value("phone") && (digits < 10 || digits > 15) && ["contact_bad_phone", inputs.phone]) ||
        (value("email") && !/^\S+@\S+\.\S+$/.test(value("email")) && ["contact_bad_email", inputs.email]);
      problem.hidden = !wrong;
      if (wrong) {
        problem.textContent = t(wrong[0]);
        wrong[1].focus();
        return;
      }
      const words = fields.filter(value).map((field) => t(`contact_says_${field}`, { value: value(field) })).join(", ");
      if (words) say(`${words[0].toUpperCase()}${words.slice(1)}.`);
    };
    return h("form", { class: "card contact", novalidate: true, "aria-label": t("contact"), onsubmit: submit },
      h("strong", {}, card.text && !said.includes(card.text) ? card.text : t("contact")),
      fields.map((field) => h("label", {}, h("span", {}, t(`contact_${field}`)), inputs[field])),
      problem, h("button", { type: "submit", class: "button" }, t("contact_send")));
  },
};

/** "2026-12-08" in the visitor's words; made of parts, so that no time zone moves it to the day before. */
function day(date, locale) {
  const [year, month, number] = String(date).split("-").map(Number);
  return new Date(year, month - 1, number, 12).toLocaleDateString(locale, { day: "numeric", month: "long", year: "numeric" });
}

// --- the view ----------------------------------------------------------------------------------------------------

const DARK = `--bg: #14171d; --soft: #222731; --line: #363d4a; --text: #eef0f4; --muted: #a5aebd; --good: #5fd6a0;
  --bad: #ff9d92; --note: #37300f; --note-text: #ffe39f; --link: color-mix(in oklab, var(--accent) 40%, white); color-scheme: dark;`;

const STYLE = `
:host { --accent: var(--ais-accent, #3452d9); --on: var(--ais-on-accent, #fff); --radius: var(--ais-radius, 18px);
  --bg: #fff; --soft: #f1f3f7; --line: #dfe3ea; --text: #171b23; --muted: #596273; --good: #0b7a4b; --bad: #b42318;
  --note: #fff4d6; --note-text: #664600; --link: color-mix(in oklab, var(--accent) 88%, black); color-scheme: light; }
:host([data-theme="dark"]) { ${DARK} }
@media (prefers-color-scheme: dark) { :host(:not([data-theme="light"])) { ${DARK} } }
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.panel { position: fixed; bottom: 90px; right: 20px; width: 404px; max-width: calc(100vw - 40px);
  height: min(700px, calc(100dvh - 110px)); display: flex; flex-direction: column; overflow: hidden; color: var(--text);
  background: var(--bg); border: 1px solid var(--line); border-radius: var(--radius);
  box-shadow: 0 4px 12px rgb(15 23 42 / .08), 0 24px 64px rgb(15 23 42 / .22); text-align: start; direction: ltr;
  font: 15px/1.45 var(--ais-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif);
  animation: rise .18s ease-out; }
.panel.left { right: auto; left: 20px; }
@keyframes rise { from { opacity: 0; transform: translateY(10px); } }
button, input, textarea { font: inherit; color: inherit; margin: 0; }
button { cursor: pointer; }
a { color: var(--link); text-underline-offset: 2px; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.panel:focus { outline: none; }
svg { width: 20px; height: 20px; flex: none; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.top { display: flex; align-items: center; gap: 11px; padding: 12px 8px 12px 16px; border-bottom: 1px solid var(--line); }
.face { width: 38px; height: 38px; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on); flex: none; }
.face svg { width: 22px; height: 22px; }
.top h2 { margin: 0; font-size: 15px; font-weight: 650; line-height: 1.25; }
.top p { margin: 1px 0 0; font-size: 13px; color: var(--muted); display: flex; align-items: center; gap: 6px; }
.top p::before { content: ""; width: 7px; height: 7px; border-radius: 50%; background: var(--good); }
.top p.off::before { background: var(--muted); }
.top > div:nth-child(2) { flex: 1; min-width: 0; }
.plain { border: 0; background: none; width: 44px; height: 44px; border-radius: 12px; display: grid; place-items: center; color: var(--muted); }
.plain:hover { background: var(--soft); color: var(--text); }
.banner { padding: 9px 16px; font-size: 13px; background: var(--note); color: var(--note-text); border-bottom: 1px solid var(--line); }
.banner.calm { background: var(--soft); color: var(--text); }

.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px 16px 8px; display: flex; flex-direction: column; gap: 4px; }
.log > :first-child { margin-top: auto; }
.date { align-self: center; margin: 8px 0; font-size: 12px; color: var(--muted); }
.item { display: flex; flex-direction: column; align-items: flex-start; max-width: 100%; gap: 4px; }
.item.new { margin-top: 10px; }
.item.customer { align-items: flex-end; }
.who { font-size: 12px; color: var(--muted); padding: 0 4px; }
.bubble { max-width: 88%; padding: 9px 13px; border-radius: 16px; border: 1px solid transparent; background: var(--soft);
  overflow: hidden; overflow-wrap: anywhere; unicode-bidi: isolate; }
.assistant .bubble, .operator .bubble { border-bottom-left-radius: 5px; }
.operator .bubble { border-color: var(--line); background: var(--bg); }
.customer .bubble { background: var(--accent); color: var(--on); border-bottom-right-radius: 5px; white-space: pre-wrap; }
.system { align-items: center; }
.system .bubble { background: none; color: var(--muted); }
.bubble :first-child { margin-top: 0; }
.bubble > :last-child, blockquote > :last-child { margin-bottom: 0; }
.bubble p { margin: 0 0 8px; }
.bubble ul, .bubble ol { margin: 4px 0 8px; padding-left: 22px; }
.bubble li { margin: 3px 0; }
.bubble code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: color-mix(in oklab, var(--text) 8%, transparent); border-radius: 4px; padding: 1px 4px; }
.bubble pre { margin: 6px 0 8px; padding: 10px; overflow-x: auto; border-radius: 8px; background: color-mix(in oklab, var(--text) 8%, transparent); }
.bubble pre code { background: none; padding: 0; }
.bubble blockquote { margin: 6px 0 8px; padding-left: 10px; border-left: 3px solid var(--line); color: var(--muted); }
.wide { overflow-x: auto; margin: 6px 0 8px; }
.bubble table { border-collapse: collapse; font-size: 13.5px; min-width: 100%; }
.bubble th, .bubble td { padding: 6px 10px 6px 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: normal; font-variant-numeric: tabular-nums; }
.bubble th { font-weight: 600; color: var(--muted); }
.bubble tr:last-child td { border-bottom: 0; }
.foot { display: flex; align-items: center; gap: 4px; font-size: 12px; color: var(--muted); padding: 0 4px; min-height: 18px; }
.foot svg { width: 14px; height: 14px; }
.foot.bad { color: var(--bad); }
.foot button { border: 0; background: none; color: inherit; text-decoration: underline; padding: 12px 8px; min-height: 44px; min-width: 44px; }
.source { font-size: 12.5px; color: var(--muted); padding: 0 4px; max-width: 92%; }
.source summary { cursor: pointer; padding: 5px 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; border-radius: 6px; }
.source ul { margin: 0 0 6px; padding-left: 20px; }
.dots { display: flex; gap: 4px; padding: 4px 2px; }
.dots i { width: 7px; height: 7px; border-radius: 50%; background: var(--muted); animation: blink 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: .18s; } .dots i:nth-child(3) { animation-delay: .36s; }
@keyframes blink { 0%, 70%, 100% { opacity: .3; } 35% { opacity: 1; } }

.chips, .choices { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0 4px; }
.choices p { width: 100%; margin: 0; }
.chip { min-height: 44px; padding: 8px 15px; border-radius: 22px; border: 1px solid color-mix(in oklab, var(--link) 45%, var(--line)); background: var(--bg); color: var(--link); text-align: left; line-height: 1.25; }
.chip:hover { background: color-mix(in oklab, var(--accent) 9%, var(--bg)); }
.button { display: inline-flex; align-items: center; justify-content: center; min-height: 44px; padding: 8px 16px; border: 0; border-radius: 12px; background: var(--accent); color: var(--on); font-weight: 600; text-decoration: none; }
.button:hover { filter: brightness(1.08); }
.card { width: 100%; border: 1px solid var(--line); border-radius: 14px; padding: 14px; background: var(--bg); }
.card header { display: flex; justify-content: space-between; gap: 10px; align-items: baseline; margin-bottom: 8px; }
.card small { color: var(--muted); font-size: 12.5px; display: block; font-weight: 400; }
.quote table { width: 100%; border-collapse: collapse; font-size: 14px; }
.quote th { text-align: left; font-weight: 400; padding: 6px 12px 6px 0; vertical-align: top; }
.quote td { text-align: right; white-space: nowrap; padding: 6px 0; vertical-align: top; font-variant-numeric: tabular-nums; }
.quote tbody + tbody tr:first-child > *, .quote tfoot tr > * { border-top: 1px solid var(--line); }
.quote .part > * { color: var(--muted); }
.quote .discount td { color: var(--good); }
.quote .total > * { font-weight: 700; font-size: 17px; padding-top: 10px; }
.quote footer { margin-top: 6px; font-size: 12.5px; color: var(--muted); }
.quote footer p, .problem { margin: 2px 0; }
.file { display: flex; align-items: center; gap: 12px; flex-wrap: wrap; }
.file .sheet { width: 42px; height: 42px; border-radius: 10px; display: grid; place-items: center; background: color-mix(in oklab, var(--accent) 12%, var(--bg)); color: var(--link); }
.file .name { flex: 1; min-width: 60%; overflow-wrap: anywhere; }
.file .button { flex: 1 1 100%; }
.contact { display: grid; gap: 10px; }
.contact label { display: grid; gap: 4px; font-size: 13px; color: var(--muted); }
.contact input { width: 100%; min-height: 44px; padding: 8px 12px; font-size: 16px; color: var(--text); background: var(--bg); border: 1px solid color-mix(in oklab, var(--muted) 60%, var(--bg)); border-radius: 10px; }
.problem { font-size: 13px; color: var(--bad); }

.bottom { border-top: 1px solid var(--line); padding: 10px 12px max(4px, env(safe-area-inset-bottom)); }
.consent { padding: 0 4px 8px; }
.consent > div { display: flex; gap: 10px; align-items: flex-start; font-size: 13px; line-height: 1.4; color: var(--muted); }
.consent .box { flex: none; width: 44px; height: 44px; margin: -8px -10px -8px -12px; display: grid; place-items: center; cursor: pointer; }
.consent input { width: 20px; height: 20px; margin: 0; accent-color: var(--accent); cursor: pointer; }
.consent.wrong input { outline: 2px solid var(--bad); outline-offset: 2px; border-radius: 3px; }
.consent .problem { padding: 6px 0 0 30px; }
.write { display: flex; align-items: flex-end; gap: 6px; border: 1px solid color-mix(in oklab, var(--muted) 50%, var(--bg)); border-radius: 14px; padding: 2px 2px 2px 4px; background: var(--bg); }
.write:focus-within { border-color: var(--link); box-shadow: 0 0 0 1px var(--link); }
textarea { flex: 1; min-width: 0; resize: none; border: 0; outline: 0; background: none; font-size: 16px; line-height: 1.4; padding: 11px 8px; height: 45px; max-height: 150px; }
textarea:focus-visible { outline: none; }
textarea::placeholder { color: var(--muted); opacity: 1; }
.go { width: 44px; height: 44px; border: 0; border-radius: 12px; background: var(--accent); color: var(--on); display: grid; place-items: center; flex: none; }
.go:hover { filter: brightness(1.08); }
.under { display: flex; align-items: center; justify-content: space-between; gap: 8px; min-height: 44px; font-size: 13px; color: var(--muted); }
.call { border: 0; background: none; display: flex; align-items: center; gap: 6px; min-height: 44px; padding: 0 8px; border-radius: 10px; color: var(--link); font-weight: 600; }
.call:hover { background: var(--soft); }
.call svg { width: 18px; height: 18px; }
.count { text-align: right; padding-right: 4px; }
.count.wrong { color: var(--bad); }

@media (max-width: 640px) {
  .panel.panel { inset: 0 auto auto 0; width: 100%; max-width: none; height: var(--seen, 100dvh); border: 0; border-radius: 0; animation: none; }
  .top { padding-top: max(10px, env(safe-area-inset-top)); }
  .launcher[aria-expanded="true"] { display: none; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } .dots i { opacity: .7; } }
@media (forced-colors: active) { .bubble, .card, .chip, .button, .go { border: 1px solid ButtonText; } }
`;

class View {
  constructor({ host, root, launcher, badge, config, words }) {
    Object.assign(this, { host, root, launcher, badge, config, words });
    this.store = new Store(config.site);
    this.talk = new Talk(this.store);
    this.wire = new Wire({
      config, store: this.store, talk: this.talk,
      changed: () => this.soon(), came: (message) => this.came(message), lost: () => this.lost(),
    });
    this.nodes = new Map();
    this.unread = 0;
    this.note = "";
    this.phone = matchMedia("(max-width: 640px)");
    this.plural = new Intl.PluralRules(config.locale);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    this.build();
    this.phone.addEventListener("change", () => this.fit());
    visualViewport?.addEventListener("resize", () => this.fit());
    // another tab began the conversation, or forgot it
    addEventListener("storage", (event) => {
      if (event.key !== `${this.store.prefix}session`) return;
      this.store.memory.delete("session");
      const session = this.store.get("session");
      if (session?.id === this.wire.session?.id) return;
      this.restart();
      this.wire.session = session;
      if (session) this.wire.start();
    });
  }

  t(key, values = {}) {
    return String(this.words[key]).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  build() {
    const t = (key, values) => this.t(key, values);
    const apart = { target: "_blank", rel: "noopener" };
    this.status = h("p");
    this.banner = h("div", { class: "banner", role: "status", hidden: true });
    this.greeting = h("div", { class: "item assistant" },
      h("span", { class: "who" }, t("assistant")),
      h("div", { class: "bubble" }, h("p", {}, t("greeting")), h("p", {}, t("greeting_more"))));
    this.chips = h("div", { class: "chips", role: "group", "aria-label": t("chips") },
      ["chip_1", "chip_2", "chip_3", "chip_4"].map((key) => h("button", { type: "button", class: "chip", onclick: () => this.say(t(key), { keep: true }) }, t(key))));
    this.log = h("div", { class: "log", role: "log", "aria-live": "off", "aria-label": t("log"), tabindex: "0" }, this.greeting, this.chips);
    this.agree = h("input", { type: "checkbox", id: "agree", "aria-describedby": "agree-problem", onchange: () => this.complain("") });
    this.agreeProblem = h("p", { class: "problem", role: "alert", id: "agree-problem" });
    this.consent = h("div", { class: "consent" },
      h("div", {},
        h("label", { class: "box", for: "agree" }, this.agree),
        h("span", {},
          h("label", { for: "agree" }, `${t("consent_before")} `),
          h("a", { href: this.config.consent, ...apart }, t("consent_link")),
          h("label", { for: "agree" }, ` ${t("consent_after")} `),
          h("a", { href: this.config.privacy, ...apart }, t("policy_link")), ".")),
      this.agreeProblem);
    this.input = h("textarea", { rows: "1", "aria-label": t("message"), placeholder: t("placeholder"), "aria-describedby": "count", enterkeyhint: "send",
      oninput: () => this.typed(), onkeydown: (event) => this.key(event) });
    this.count = h("span", { class: "count", id: "count" });
    this.spoken = h("div", { class: "sr", "aria-live": "polite" });
    this.panel = h("section", { class: `panel ${this.config.side}`, role: "dialog", "aria-label": t("title"), tabindex: "-1", hidden: true,
      onkeydown: (event) => event.key === "Escape" && !event.isComposing && this.close() },
      h("div", { class: "top" },
        h("div", { class: "face" }, icon("bot")),
        h("div", {}, h("h2", {}, t("title")), this.status),
        h("button", { type: "button", class: "plain", "aria-label": t("launcher_close"), onclick: () => this.close() }, icon("close"))),
      this.banner, this.log,
      h("form", { class: "bottom", onsubmit: (event) => (event.preventDefault(), this.submit()) },
        this.consent,
        h("div", { class: "write" }, this.input, h("button", { type: "submit", class: "go", "aria-label": t("send") }, icon("send"))),
        h("div", { class: "under" },
          h("button", { type: "button", class: "call", onclick: () => this.callPerson() }, icon("person"), t("call_person")), this.count)),
      this.spoken);
    this.root.append(this.panel);
    this.input.value = this.store.get("draft") || "";
  }

  // -- opening and closing

  toggle() {
    if (this.panel.hidden) this.open();
    else this.close();
  }

  open() {
    if (!this.panel.hidden) return;
    this.before = document.activeElement;
    this.panel.hidden = false;
    this.launcher.setAttribute("aria-expanded", "true");
    this.unread = 0;
    if (this.wire.session || this.talk.pending.size) this.wire.start();
    this.fit();
    this.render();
    this.log.scrollTop = this.log.scrollHeight;
    this.typed({ loud: false });
    // on a phone the keyboard would hide the greeting
    (this.phone.matches ? this.panel : this.input).focus({ preventScroll: true });
    this.tell("open");
  }

  close() {
    if (this.panel.hidden) return;
    this.panel.hidden = true;
    this.launcher.setAttribute("aria-expanded", "false");
    this.fit();
    this.render();
    const back = this.launcher.hidden && this.before instanceof HTMLElement ? this.before : this.launcher;
    back.focus({ preventScroll: true });
    this.tell("close");
  }

  prefill(text) {
    this.open();
    this.input.value = String(text);
    this.typed();
    this.input.focus();
  }

  tell(name) {
    document.dispatchEvent(new CustomEvent(`aisales:${name}`));
  }

  /** On a phone the open chat is the whole screen: the page behind it rests. */
  fit() {
    const covering = !this.panel.hidden && this.phone.matches;
    if (covering) this.panel.setAttribute("aria-modal", "true");
    else this.panel.removeAttribute("aria-modal");
    if (visualViewport && covering) this.panel.style.setProperty("--seen", `${Math.round(visualViewport.height)}px`);
    if (covering && !this.resting) {
      const others = [...document.body.children].filter((node) => node !== this.host && node instanceof HTMLElement && !node.inert);
      const page = document.documentElement.style;
      this.resting = { others, overflow: page.getPropertyValue("overflow") };
      others.forEach((node) => (node.inert = true));
      page.setProperty("overflow", "hidden");
    } else if (!covering && this.resting) {
      this.resting.others.forEach((node) => (node.inert = false));
      document.documentElement.style.setProperty("overflow", this.resting.overflow);
      this.resting = null;
    }
  }

  // -- writing

  typed({ loud = true } = {}) {
    const { value } = this.input;
    this.store.set("draft", value);
    this.input.style.setProperty("height", "45px");
    this.input.style.setProperty("height", `${Math.min(150, Math.max(45, this.input.scrollHeight))}px`);
    const count = points(value);
    const over = count > LIMIT;
    this.count.textContent = over ? this.t("too_long", { count, limit: LIMIT }) : count > LIMIT - 500 ? this.t("length", { count, limit: LIMIT }) : "";
    this.count.classList.toggle("wrong", over);
    this.input.setAttribute("aria-invalid", String(over));
    if (loud && value && Date.now() - (this.typingTold || 0) > 3000) {
      this.typingTold = Date.now();
      this.wire.send({ type: "typing" });
    }
  }

  key(event) {
    // 229: the key belongs to an input method that is still composing
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  submit() {
    if (points(this.input.value.trim()) > LIMIT) return this.input.focus();
    if (this.say(this.input.value)) {
      this.input.value = "";
      this.typed({ loud: false });
    }
  }

  get agreed() {
    return this.agree.checked || this.bound;
  }

  /** Consent was given for the conversation that goes on. */
  get bound() {
    return Boolean(this.wire.session || this.talk.pending.size) && this.talk.mode !== "closed";
  }

  complain(words) {
    this.consent.classList.toggle("wrong", Boolean(words));
    this.agree.setAttribute("aria-invalid", String(Boolean(words)));
    this.agreeProblem.textContent = words;
    if (words) this.log.scrollTop = this.log.scrollHeight; // it made the log lower
  }

  /** Send these words; without consent they wait in the field (`keep`) and the box says why. */
  say(words, { keep = false } = {}) {
    const text = words.trim();
    if (!text) return false;
    if (!this.agreed) {
      if (keep) {
        this.input.value = text;
        this.typed({ loud: false });
      }
      this.complain(this.t("consent_needed"));
      this.agree.focus();
      return false;
    }
    this.complain("");
    if (this.talk.mode === "closed") this.forget(); // that one takes no more: a new one begins
    this.talk.write(text);
    this.stick = true;
    this.wire.start();
    this.wire.flush();
    this.render();
    // the button that was pressed may be gone; on a phone the keyboard would hide the answer
    if (!this.phone.matches) this.input.focus({ preventScroll: true });
    return true;
  }

  callPerson() {
    if (this.talk.mode === "operator") return this.announce(this.show(this.t("person_here")));
    if (this.talk.mode === "waiting") return this.announce(this.show(this.t("person_called")));
    this.say(this.t("call_person_text"), { keep: true });
  }

  /** A remark in the banner, for a few seconds. */
  show(words) {
    this.note = words;
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => ((this.note = ""), this.render()), 6000);
    this.render();
    return "";
  }

  // -- what came

  came(message) {
    const who = this.t({ operator: "staff", system: "system" }[message.author] || "assistant");
    this.announce(`${who}: ${plain(message)}`);
    if (this.panel.hidden) this.unread += 1;
    this.tell("message");
  }

  /** Each finished message is read out once; the log itself is silent. */
  announce(words) {
    if (!words) return;
    this.spoken.append(h("p", {}, words));
    while (this.spoken.childElementCount > 10) this.spoken.firstChild.remove();
  }

  /** This conversation is over for this browser: keep what was written, ask for consent again. */
  lost() {
    const unsent = [...this.talk.pending.values()].map((item) => item.text);
    this.forget();
    if (unsent.length) this.input.value = [...unsent, this.input.value].filter(Boolean).join("\n");
    this.typed({ loud: false });
    this.agree.checked = false;
    this.complain(this.t("session_lost"));
  }

  forget() {
    this.store.remove("session");
    [...this.talk.pending.keys()].forEach((client_id) => this.talk.forget(client_id));
    this.restart();
  }

  restart() {
    this.wire.reset();
    this.talk = new Talk(this.store);
    this.wire.talk = this.talk;
    this.render();
  }

  // -- drawing

  /** Draw once for all that comes at about the same time: a history of a thousand messages isn't drawn a thousand times. */
  soon() {
    this.drawing ||= setTimeout(() => this.render(), 15);
  }

  render() {
    clearTimeout(this.drawing);
    this.drawing = 0;
    const name = this.t(this.panel.hidden ? "launcher_open" : "launcher_close");
    const unread = this.unread ? `, ${this.unread} ${this.words.unread[this.plural.select(this.unread)]}` : "";
    if (this.launcher.getAttribute("aria-label") !== name + unread) this.launcher.setAttribute("aria-label", name + unread);
    this.badge.textContent = this.unread ? String(Math.min(this.unread, 99)) : "";
    if (this.panel.hidden) return;
    if (this.bound) this.agree.checked = false; // a later conversation asks anew
    this.consent.hidden = this.bound;
    this.drawTop();
    this.drawLog();
    this.tellRead();
  }

  drawTop() {
    const { mode } = this.talk;
    const set = (node, words) => node.textContent !== words && (node.textContent = words);
    set(this.status, this.t(mode === "operator" ? "answered_by_person" : "answered_by"));
    this.status.classList.toggle("off", this.wire.offline);
    const asked = this.talk.unanswered();
    const late = asked && mode !== "operator" && mode !== "closed" && Date.now() - Date.parse(asked.created_at) > LATE;
    const [words, urgent] =
      (this.note && [this.note, false]) || (this.wire.offline && [this.t("offline"), true]) || (this.wire.notBefore && [this.t("slow_down"), true]) ||
      (late && [this.t("late"), true]) || (mode !== "assistant" && this.words[mode] && [this.t(mode), false]) || ["", false];
    this.banner.hidden = !words;
    this.banner.classList.toggle("calm", !urgent);
    set(this.banner, words);
  }

  drawLog() {
    const { log } = this;
    const near = log.scrollHeight - log.scrollTop - log.clientHeight < 90;
    const wanted = this.entries();
    const keep = new Set(wanted.map(([key]) => key));
    for (const [key, { node }] of this.nodes) {
      if (!keep.has(key)) {
        node.remove();
        this.nodes.delete(key);
      }
    }
    let place = this.greeting.nextSibling;
    let added = null;
    for (const [key, signature, make] of wanted) {
      const had = this.nodes.get(key);
      let node = had?.node;
      if (!had || had.signature !== signature) {
        const made = make();
        if (had) node.replaceWith(made);
        if (had && node === place) place = made;
        node = made;
        this.nodes.set(key, { node, signature });
        added = node;
      }
      if (node === place) place = place.nextSibling;
      else log.insertBefore(node, place);
    }
    this.chips.hidden = wanted.length > 0;
    if (added && (near || this.stick)) {
      log.scrollTop = log.scrollHeight;
      // a long answer is read from its beginning
      if (!this.stick && added.offsetHeight > log.clientHeight && !added.classList.contains("customer")) log.scrollTop = added.offsetTop - log.offsetTop - 8;
    }
    this.stick = false;
  }

  /** What the log shows, in order: [key, what it depends on, how to build it]. */
  entries() {
    const { talk, wire } = this;
    const list = [];
    const sorted = talk.sorted();
    const waiting = talk.waiting();
    const lastCustomer = waiting.length ? Infinity : sorted.findLast((message) => message.author === "customer")?.seq || 0;
    let today = "";
    let before = "assistant"; // the greeting
    if (wire.session && !wire.synced && !sorted.length && !wire.offline) list.push(["loading", "", () => h("p", { class: "date" }, this.t("loading"))]);
    for (const message of sorted) {
      const date = this.date(message.created_at);
      if (date !== today) list.push([`day:${date}`, "", () => h("p", { class: "date" }, date)]);
      const first = message.author !== before || date !== today;
      const live = message.seq > lastCustomer;
      const ended = message.author === "customer" && message === sorted.at(-1) && !waiting.length;
      // the card is as old as its message, and doesn't know that the document is ready now
      const fresh = message.cards.length > 0 && Date.now() - Date.parse(message.created_at) < 30_000;
      list.push([`m:${message.seq}`, `${first}${live}${ended}${fresh}`, () => this.message(message, { first, live, ended, fresh })]);
      [today, before] = [date, message.author];
    }
    if (talk.draft) {
      const { text } = talk.draft;
      const first = before !== "assistant";
      list.push(["growing", text + first, () => this.stream(text, first)]);
      before = "assistant";
    }
    for (const item of waiting) {
      const state = item.refused ? "refused" : Date.now() - item.since > ACK_WAIT ? "failed" : "sending";
      const first = before !== "customer";
      list.push([`p:${item.client_id}`, `${state}${first}`, () => this.unsent(item, state, first)]);
      before = "customer";
    }
    const told = talk.writing.until > Date.now() ? talk.writing.author : "";
    const asked = talk.unanswered();
    const expected = wire.session && !wire.offline && ["assistant", "waiting"].includes(talk.mode) &&
      (asked ? Date.now() - Date.parse(asked.created_at) < LATE : waiting.some((item) => !item.refused && Date.now() - item.since < LATE));
    const author = told || (expected ? "assistant" : "");
    if (author && !talk.draft) list.push(["typing", author + (before !== author), () => this.typing(author, before !== author)]);
    return list;
  }

  message(message, { first, live, ended, fresh }) {
    const { author } = message;
    const tools = {
      t: (key, values) => this.t(key, values), locale: this.config.locale, origin: this.config.origin, live, fresh,
      said: message.text, say: (text) => this.say(text),
    };
    const cards = message.cards.map((card) => {
      if (Object.hasOwn(CARDS, card.kind)) return CARDS[card.kind](card, tools);
      return card.text ? h("div", { class: "bubble" }, markdown(String(card.text), this.words)) : null;
    });
    const time = new Date(message.created_at).toLocaleTimeString(this.config.locale, { hour: "2-digit", minute: "2-digit" });
    return h("article", { class: `item ${author}${first ? " new" : ""}`, "data-seq": message.seq },
      first && h("span", { class: author === "customer" ? "sr" : "who" }, this.t({ customer: "you", operator: "staff" }[author] || author)),
      message.text && h("div", { class: "bubble" }, author === "customer" ? message.text : markdown(message.text, this.words)),
      this.sources(message.citations), cards,
      author === "customer" && h("span", { class: "foot" }, h("time", { datetime: message.created_at }, time), ended && [icon("check"), this.t("sent")]));
  }

  sources(citations) {
    const titles = [...new Set(citations.map((citation) => citation.title).filter(Boolean))];
    if (!titles.length) return null;
    return h("details", { class: "source" }, h("summary", {}, this.t("sources", { count: titles.length })), h("ul", {}, titles.map((title) => h("li", {}, title))));
  }

  unsent(item, state, first) {
    const again = () => {
      if (this.talk.mode === "closed") {
        this.talk.forget(item.client_id);
        this.say(item.text, { keep: true });
        return;
      }
      item.since = Date.now();
      item.refused = false;
      this.wire.hurry();
      this.wire.flush();
      this.render();
    };
    return h("article", { class: `item customer${first ? " new" : ""}`, "data-state": state },
      first && h("span", { class: "sr" }, this.t("you")),
      h("div", { class: "bubble" }, item.text),
      h("span", { class: state === "sending" ? "foot" : "foot bad" }, this.t(state),
        state !== "sending" && h("button", { type: "button", onclick: again }, this.t("retry"))));
  }

  stream(text, first) {
    return h("article", { class: `item assistant${first ? " new" : ""}`, "aria-busy": "true" },
      first && h("span", { class: "who" }, this.t("assistant")), h("div", { class: "bubble" }, markdown(text, this.words)));
  }

  typing(author, first) {
    const words = this.t(author === "operator" ? "typing_person" : "typing");
    return h("div", { class: `item ${author}${first ? " new" : ""}` },
      first && h("span", { class: "who" }, this.t(author === "operator" ? "staff" : "assistant")),
      h("div", { class: "bubble" }, h("span", { class: "sr" }, words), h("div", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"))));
  }

  date(when) {
    const date = new Date(when);
    const start = (each) => new Date(each.getFullYear(), each.getMonth(), each.getDate()).getTime();
    const days = Math.round((start(new Date()) - start(date)) / 86_400_000);
    if (days === 0) return this.t("today");
    if (days === 1) return this.t("yesterday");
    return date.toLocaleDateString(this.config.locale, { day: "numeric", month: "long", ...(days > 300 ? { year: "numeric" } : {}) });
  }

  /** Tell the other side how far the visitor has read. */
  tellRead() {
    const seq = this.talk.known;
    if (!this.wire.ready || document.visibilityState !== "visible" || seq <= (this.readTold || 0)) return;
    this.readTold = seq;
    this.wire.send({ type: "read", seq });
  }
}

/** A message as it is read out: its words without marks, then what its cards say. */
function plain(message) {
  const words = markdown(message.text);
  const cards = message.cards.map((card) => card.text).filter((text) => text && !message.text.includes(text));
  return [words.textContent.trim(), ...cards].filter(Boolean).join(". ");
}

/**
 * Called by the loader, once.
 * @param {{host: HTMLElement, root: ShadowRoot, launcher: HTMLButtonElement, badge: HTMLElement, config: Config,
 *   words: Record<string, any>}} parts
 */
export function start(parts) {
  const view = new View(parts);
  return { open: () => view.open(), close: () => view.close(), toggle: () => view.toggle(), prefill: (text) => view.prefill(text) };
}

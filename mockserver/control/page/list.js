// The list in the middle: a tree of which only the rows in view are in the document.

import { clockTime, duration, el } from "./dom.js";

const ROW = 40;
const AROUND = 12;
const KINDS = { exchange: "request", delivery: "webhook", sync: "sync", action: "action" };

/** What a row says, for the eye and for a screen reader. */
function row(entry, index, total, selected, names) {
  const { item, below, folded, muted } = entry;
  const status = item.status ?? (item.kind === "delivery" ? "–" : "");
  const level = Math.min(item.level, 6);
  const name = item.calendar ? names.get(item.calendar) ?? item.calendar : "";
  return el(
    "div",
    {
      id: `row-${item.id}`,
      role: "treeitem",
      class: `row level-${level} ${item.kind} ${item.outcome}${muted ? " muted" : ""}`,
      "aria-level": level,
      "aria-posinset": index + 1,
      "aria-setsize": total,
      "aria-selected": item.id === selected ? "true" : "false",
      "aria-expanded": below ? String(!folded) : undefined,
      "data-id": item.id,
      "data-story": entry.story,
      "data-index": index,
    },
    el("span", { class: "time" }, clockTime(item.time)),
    el("span", { class: "fold", "aria-hidden": "true" }, below ? (folded ? "▸" : "▾") : ""),
    el("span", { class: "kind" }, KINDS[item.kind]),
    el("span", { class: "title", title: item.title }, item.kind === "delivery" && item.attempt > 1
      ? `${item.title} (attempt ${item.attempt})` : item.title,
    item.fault ? el("span", { class: "fault" }, "fault") : null),
    el("span", { class: "where" }, below && folded ? `+${below}` : name),
    el("span", { class: "status" }, String(status)),
    el("span", { class: "took" }, duration(item.seconds)),
  );
}

export class List {
  /** `onopen(item)` is called for the row that was chosen, `onfold(story, folded)` for a story to fold. */
  constructor(host, { onopen, onfold }) {
    this.host = host;
    this.onopen = onopen;
    this.onfold = onfold;
    this.rows = [];
    this.names = new Map();
    this.selected = null;
    this.filler = el("div", { class: "filler", role: "presentation" });
    this.window = el("div", { class: "window", role: "presentation" });
    this.filler.append(this.window);
    host.append(this.filler);
    host.addEventListener("scroll", () => this.draw(), { passive: true });
    host.addEventListener("click", (event) => this.click(event));
    host.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw(true)).observe(host);
  }

  /** Shows other rows; a reader who has scrolled away from the top stays where they are. */
  show(rows) {
    const anchor = this.host.scrollTop > ROW / 2 ? this.rows[Math.floor(this.host.scrollTop / ROW)]?.item.id : null;
    const offset = this.host.scrollTop % ROW;
    this.rows = rows;
    this.filler.style.height = `${rows.length * ROW}px`;
    if (anchor) {
      const at = rows.findIndex((one) => one.item.id === anchor);
      if (at >= 0) this.host.scrollTop = at * ROW + offset;
    }
    this.draw(true);
  }

  draw(anew = false) {
    const first = Math.max(0, Math.floor(this.host.scrollTop / ROW) - AROUND);
    const last = Math.min(this.rows.length, Math.ceil((this.host.scrollTop + this.host.clientHeight) / ROW) + AROUND);
    if (!anew && first === this.first && last === this.last) return;
    if (!anew && Math.abs(first - this.first) < AROUND / 2 && this.covers()) return;
    this.first = first;
    this.last = last;
    this.window.style.transform = `translateY(${first * ROW}px)`;
    this.window.replaceChildren(
      ...this.rows.slice(first, last).map((one, at) => row(one, first + at, this.rows.length, this.selected, this.names)),
    );
    const active = this.selected && this.window.querySelector(`#row-${CSS.escape(this.selected)}`);
    if (active) this.host.setAttribute("aria-activedescendant", active.id);
    else this.host.removeAttribute("aria-activedescendant");
  }

  covers() {
    const top = this.host.scrollTop / ROW;
    const seen = this.host.clientHeight / ROW;
    return this.first <= Math.max(0, top - 1) && this.last >= Math.min(this.rows.length, top + seen + 1);
  }

  select(id, { open = true } = {}) {
    this.selected = id;
    const at = this.rows.findIndex((one) => one.item.id === id);
    if (at >= 0) {
      const top = at * ROW;
      const bottom = top + ROW - this.host.clientHeight;
      if (top < this.host.scrollTop) this.host.scrollTop = top;
      else if (bottom > this.host.scrollTop) this.host.scrollTop = bottom;
    }
    this.draw(true);
    if (open && at >= 0) this.onopen(this.rows[at].item);
  }

  click(event) {
    const found = event.target.closest(".row");
    if (!found) return;
    const one = this.rows[Number(found.dataset.index)];
    if (event.target.closest(".fold") && one.below) this.onfold(one.story, !one.folded);
    else this.select(one.item.id);
  }

  key(event) {
    const at = this.rows.findIndex((one) => one.item.id === this.selected);
    const page = Math.max(1, Math.floor(this.host.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps && this.rows.length) {
      const to = Math.min(this.rows.length - 1, Math.max(0, at + steps[event.key]));
      this.select(this.rows[to].item.id, { open: false });
    } else if (event.key === "Enter" && at >= 0) {
      this.onopen(this.rows[at].item, { focus: true });
    } else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && at >= 0) {
      const story = this.rows[at].story;
      const root = this.rows.find((one) => one.story === story && one.below);
      if (root) {
        this.selected = root.item.id;
        this.onfold(story, event.key === "ArrowLeft");
      }
    } else {
      return;
    }
    event.preventDefault();
  }
}

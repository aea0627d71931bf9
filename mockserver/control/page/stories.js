// The items of a timeline as stories: an item without a cause begins one, and what it caused hangs below it.

/** Whether an item passes the filters of the form; an empty filter lets everything pass. */
export function passes(item, filters) {
  if (filters.kind && item.kind !== filters.kind) return false;
  if (filters.operation && item.operation !== filters.operation) return false;
  if (filters.calendar && item.calendar !== filters.calendar) return false;
  if (filters.status === "none") {
    if (item.status || !["exchange", "delivery"].includes(item.kind)) return false;
  } else if (filters.status && String(item.status ?? "")[0] !== filters.status[0]) return false;
  if (filters.outcome === "fault") {
    if (!item.fault) return false;
  } else if (filters.outcome && item.outcome !== filters.outcome) return false;
  if (filters.text) {
    const text = `${item.title} ${item.calendar ?? ""} ${item.reason ?? ""} ${item.operation ?? ""} ${item.status ?? ""}`;
    if (!text.toLowerCase().includes(filters.text.toLowerCase())) return false;
  }
  return true;
}

export const isFiltering = (filters) => Object.values(filters).some(Boolean);

const MOST = 20_000;

export class Stories {
  constructor() {
    this.clear();
  }

  clear() {
    this.items = new Map();
    this.stories = [];
    this.byId = new Map();
    this.folded = new Set();
    this.operations = new Set();
    this.calendars = new Set();
  }

  add(items) {
    for (const item of items) {
      if (this.items.has(item.id)) continue;
      this.items.set(item.id, item);
      if (item.operation) this.operations.add(item.operation);
      if (item.calendar) this.calendars.add(item.calendar);
      const cause = item.cause ? this.items.get(item.cause) : undefined;
      item.level = cause ? cause.level + 1 : 1;
      let story = this.byId.get(item.story);
      if (story === undefined) {
        story = { id: item.story, items: [] };
        this.byId.set(item.story, story);
        this.stories.push(story);
      }
      story.items.push(item);
    }
    this.forget();
  }

  /** Forgets the oldest stories when there are more items than a tab should hold. */
  forget() {
    while (this.items.size > MOST && this.stories.length > 1) {
      const oldest = this.stories.shift();
      this.byId.delete(oldest.id);
      this.folded.delete(oldest.id);
      for (const item of oldest.items) this.items.delete(item.id);
    }
  }

  fold(id, folded) {
    if (folded) this.folded.add(id);
    else this.folded.delete(id);
  }

  foldAll(folded) {
    this.folded = new Set(folded ? this.stories.filter((one) => one.items.length > 1).map((one) => one.id) : []);
  }

  /** The rows to show, the newest story first and the items of each in their order. */
  rows(filters) {
    const filtering = isFiltering(filters);
    const rows = [];
    for (let at = this.stories.length - 1; at >= 0; at -= 1) {
      const { id, items } = this.stories[at];
      const folded = this.folded.has(id);
      if (!filtering) {
        rows.push({ item: items[0], story: id, below: items.length - 1, folded, muted: false });
        if (!folded) for (let n = 1; n < items.length; n += 1) rows.push({ item: items[n], story: id, below: 0 });
        continue;
      }
      const wanted = items.filter((item) => passes(item, filters));
      if (!wanted.length) continue;
      // The beginning of a story stays, greyed out: without it nobody sees what caused the rest.
      const muted = wanted[0] !== items[0];
      rows.push({ item: items[0], story: id, below: wanted.length - (muted ? 0 : 1), folded, muted });
      if (!folded) for (const item of muted ? wanted : wanted.slice(1)) rows.push({ item, story: id, below: 0 });
    }
    return rows;
  }
}

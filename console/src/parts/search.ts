/** What the address says about a list: kept in the URL, so that a filtered list can be sent to a colleague. */

export interface InventorySearch {
  q?: string;
  kind?: string[];
  label?: string[];
  exposure?: string[];
  owner?: string[];
  risk?: string[];
  status?: string[];
  sort?: 'name' | 'kind' | 'risk' | 'last_seen' | 'exposure' | 'owner';
  order?: 'asc' | 'desc';
  offset?: number;
}

export interface RiskSearch {
  severity?: string[];
  asset?: string;
  rule?: string;
  state?: 'open' | 'accepted' | 'all';
  /** by what to change (the default), or each risk by itself */
  view?: 'each';
}

export interface MapSearch {
  /** the label that is traced */
  label?: string;
  /** leave out what the label does not reach */
  only?: boolean;
  /** only what leads to this asset and on from it */
  asset?: string;
  /** the chosen box or link */
  at?: string;
  fit?: boolean;
  view?: 'table';
}

export interface LiveSearch {
  application?: string;
  verdict?: string[];
  model?: string;
  seen?: string;
  session?: string;
  hours?: '1' | '24' | '168' | '720';
  offset?: number;
}

export interface CaseSearch {
  q?: string;
  state?: string[];
  severity?: string[];
  owner?: string;
  late?: boolean;
  offset?: number;
}

type Raw = Record<string, unknown>;
const text = (value: unknown) => (typeof value === 'string' && value ? value.slice(0, 300) : undefined);
const list = (value: unknown) => {
  const found = (Array.isArray(value) ? value : [value]).filter((v): v is string => typeof v === 'string' && v !== '');
  return found.length ? found.slice(0, 50) : undefined;
};
const oneOf = <T extends string>(value: unknown, words: readonly T[]) => words.find((word) => word === value);
const positive = (value: unknown) => {
  const n = Number(value);
  return Number.isInteger(n) && n > 0 ? n : undefined;
};

export const inventorySearch = (raw: Raw): InventorySearch => ({
  q: text(raw.q),
  kind: list(raw.kind),
  label: list(raw.label),
  exposure: list(raw.exposure),
  owner: list(raw.owner),
  risk: list(raw.risk),
  status: list(raw.status),
  sort: oneOf(raw.sort, ['name', 'kind', 'risk', 'last_seen', 'exposure', 'owner'] as const),
  order: oneOf(raw.order, ['asc', 'desc'] as const),
  offset: positive(raw.offset),
});

export const riskSearch = (raw: Raw): RiskSearch => ({
  severity: list(raw.severity),
  asset: text(raw.asset),
  rule: text(raw.rule),
  state: oneOf(raw.state, ['open', 'accepted', 'all'] as const),
  view: oneOf(raw.view, ['each'] as const),
});

const LABELS = ['phi', 'special_category', 'minors', 'pci', 'credentials', 'pii', 'confidential', 'trade_secret', 'unknown-origin'] as const;
const flag = (value: unknown) => (value === true || value === 'true' ? true : undefined);

export const mapSearch = (raw: Raw): MapSearch => ({
  label: oneOf(raw.label, LABELS),
  only: flag(raw.only),
  asset: text(raw.asset),
  at: text(raw.at),
  fit: flag(raw.fit),
  view: oneOf(raw.view, ['table'] as const),
});

export const liveSearch = (raw: Raw): LiveSearch => ({
  application: text(raw.application),
  verdict: list(raw.verdict),
  model: text(raw.model),
  seen: text(raw.seen),
  session: text(raw.session),
  hours: oneOf(raw.hours, ['1', '24', '168', '720'] as const),
  offset: positive(raw.offset),
});

export const caseSearch = (raw: Raw): CaseSearch => ({
  q: text(raw.q),
  state: list(raw.state),
  severity: list(raw.severity),
  owner: text(raw.owner),
  late: flag(raw.late),
  offset: positive(raw.offset),
});

/** ``?kind=model&kind=agent``: lists as repeated names, nothing for what is not set. */
export function queryString(search: object): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== '') pairs.append(name, String(one));
    }
  }
  const made = pairs.toString();
  return made ? `?${made}` : '';
}

/** The same, read back from an address; a name given once is still one value. */
export function readQuery(address: string): Raw {
  const raw: Raw = {};
  for (const [name, value] of new URLSearchParams(address)) {
    const before = raw[name];
    raw[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return raw;
}

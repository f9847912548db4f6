/** How machine words are said to people. */

export const plain = (word: string) => word.replaceAll('_', ' ');

const KINDS: Record<string, [one: string, many: string]> = {
  mcp_server: ['MCP server', 'MCP servers'],
  rules_file: ['rules file', 'rules files'],
  assistant: ['coding assistant', 'coding assistants'],
  registry: ['registry', 'registries'],
  memory: ['memory', 'memories'],
  infrastructure: ['infrastructure', 'infrastructure'],
  hardware: ['hardware', 'hardware'],
  repository: ['repository', 'repositories'],
  identity: ['identity', 'identities'],
  process: ['process', 'processes'],
  person: ['person', 'people'],
  '': ['', ''],
};

export const kindName = (kind: string) => KINDS[kind]?.[0] ?? plain(kind);
export const kindNames = (kind: string, n: number) => (n === 1 ? kindName(kind) : (KINDS[kind]?.[1] ?? `${plain(kind)}s`));

const LABELS: Record<string, string> = {
  attack: 'signs of an attack',
  pii: 'personal data',
  phi: 'health data',
  pci: 'payment card data',
  minors: "children's data",
  special_category: 'specially protected data',
  credentials: 'passwords and keys',
  trade_secret: 'trade secrets',
  'unknown-origin': 'unknown origin',
};
export const labelName = (label: string) => LABELS[label] ?? plain(label);

const EXPOSURE: Record<string, string> = {
  internet: 'internet',
  partner: 'partners',
  corporate: 'company network',
  private: 'private',
};
export const exposureName = (word: string) => EXPOSURE[word] ?? plain(word);

export const count = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** "cases → 3 words" of a scope such as repo:shop/assistant. */
export const scopeName = (scope: string) => scope.replace(/^repo:/, '');

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

/** "3 days ago"; the exact time belongs in a title attribute. */
export function ago(at: number | null | undefined, now = Date.now() / 1000): string {
  if (!at) return 'never';
  const past = now - at;
  if (past < MINUTE) return 'just now';
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h ago`;
  if (past < 60 * DAY) return count(Math.floor(past / DAY), 'day') + ' ago';
  return day(at);
}

export const day = (at: number) =>
  new Date(at * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
export const moment = (at: number) =>
  new Date(at * 1000).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** Any value of the API as a reader would say it. */
export function say(value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (value === true) return 'yes';
  if (value === false) return 'no';
  if (Array.isArray(value)) return value.map(say).join(', ');
  if (typeof value === 'object')
    return Object.entries(value as Record<string, unknown>)
      .map(([name, inner]) => `${plain(name)}: ${say(inner)}`)
      .join('; ');
  if (typeof value === 'number') return value.toLocaleString('en', { maximumFractionDigits: 2 });
  return String(value);
}

/** "2 hours": how long something lasts, roughly. */
export function lasting(seconds: number): string {
  if (seconds < 90) return count(Math.max(1, Math.round(seconds)), 'second');
  if (seconds < 90 * MINUTE && seconds % HOUR !== 0) return count(Math.round(seconds / MINUTE), 'minute');
  if (seconds < 36 * HOUR) return count(Math.round(seconds / HOUR), 'hour');
  return count(Math.round(seconds / DAY), 'day');
}

/** What the gateway did with a call, mildest first. */
export const DID: Record<string, string> = {
  allow: 'allowed',
  observe: 'noted',
  tag: 'tagged',
  throttle: 'slowed',
  route: 'rerouted',
  tokenise: 'tokenised',
  redact: 'redacted',
  ask: 'asked',
  stop: 'stopped',
};

// Generated from the API's own types: python -m penstock.serve.typescript > console/src/api/shapes.ts

/** ``value`` None: nobody knows yet. ``because`` is the reason in words. */
export interface AnswerShape {
  key: string;
  question: string;
  value: unknown;
  confidence: string;
  because: string;
  evidence: EvidenceShape[];
}

/** ``minutes`` is how long a yes lasts; as the settings have it when left out. */
export interface ApprovalAnswer {
  action: 'grant' | 'refuse' | 'withdraw';
  why?: string;
  minutes?: number | null;
}

/** Newest first, what waits before the rest. ``states`` counts all; ``median`` is the usual time to an answer. */
export interface ApprovalList {
  states: Record<string, number>;
  approvals: ApprovalRow[];
  median_seconds: number | null;
  most_grant_minutes: number;
  grant_minutes: number;
}

/** ``objection`` says why the reader may not answer it; "" when they may. ``outcome`` says what became of it. */
export interface ApprovalRow {
  id: string;
  kind: string;
  about: Ref;
  subject: string;
  why: string;
  rule: string;
  requester: string;
  session: string;
  single: boolean;
  approver: Ref | null;
  approver_why: string;
  affected: Ref[];
  state: string;
  outcome: string;
  objection: string;
  times: number;
  asked_at: number;
  last_at: number;
  answer_by: number;
  late: boolean;
  decided_by: string;
  decided_at: number | null;
  reason: string;
  until: number | null;
}

/** What a person asks for about an asset; ``detail`` names the finding for an acceptance. */
export interface ApprovalWish {
  kind: 'acceptance' | 'declassification' | 'model' | 'provider' | 'tool';
  about: string;
  subject: string;
  why: string;
  detail?: Record<string, string>;
}

/** Counts of a facet ignore that facet's own filter, so that each is what choosing it would show. */
export interface AssetList {
  total: number;
  facets: Record<string, FacetValue[]>;
  assets: AssetRow[];
}

/** ``answers`` is empty for assets that are no system by themselves: ``systems`` are those that use them. */
export interface AssetPage {
  asset: AssetRow;
  people: People;
  answers: AnswerShape[];
  systems: Ref[];
  labels: LabelShape[];
  notes: string[];
  risks: Risk[];
  neighbours: Neighbour[];
  neighbours_left_out: number;
  properties: Property[];
  questions: QuestionShape[];
  evidence: EvidenceShape[];
  history: PastVersion[];
  traffic: EventRow[];
  first_seen: number;
}

/** ``contains`` are the data it holds, ``sees`` what it may read beyond that. ``risk`` "" means none known. */
export interface AssetRow {
  id: string;
  kind: string;
  name: string;
  scope: string;
  status: string;
  lifecycle: string;
  used_for: string;
  exposure: string;
  contains: string[];
  sees: string[];
  owner: Owner;
  risk: string;
  findings: number;
  last_seen: number;
}

export interface AuditRow {
  at: number;
  who: string;
  what: string;
  about: string;
  hash: string;
}

/** Newest first. ``whole``: every entry still fits the hash chain. */
export interface AuditTrail {
  whole: boolean;
  entries: AuditRow[];
}

/** What cannot be seen: ``failed`` places that should have been read, and ``skipped`` ones left out on purpose. */
export interface Blind {
  failed: number;
  skipped: number;
}

/** One decision about many cases. ``merge`` makes them one: the first that is named. */
export interface BulkDecision {
  cases: string[];
  action: 'accept' | 'merge' | 'reopen' | 'resolve' | 'snooze';
  why: string;
  days?: number;
}

/** ``note`` says in words what was done; ``refused`` what was not. */
export interface BulkDone {
  note: string;
  done: number;
  refused: Refusal[];
}

/** Accepting and snoozing last ``days``; every decision says why. */
export interface CaseDecision {
  action: 'accept' | 'reopen' | 'resolve' | 'snooze';
  why: string;
  days?: number;
}

/** ``total`` counts what passes the filter; ``states``, ``late`` and ``owners`` (of open ones) count all. */
export interface CaseList {
  total: number;
  states: Record<string, number>;
  cases: CaseRow[];
  late: number;
  owners: OwnerCount[];
}

/** A case with everything a person needs to decide. */
export interface CasePage {
  case: CaseRow;
  owner_why: string;
  approver: Ref | null;
  informed: Ref[];
  affected: Ref[];
  risks: Risk[];
  events: EventRow[];
  history: ChangeShape[];
  summary: TriageLine[];
}

/** ``about`` is the asset of its first risk; ``owner`` is None while nobody is known to answer for it. ``due`` is when it is to be dealt with; ``late`` when that is past and others were told. ``merged_into`` is a case. */
export interface CaseRow {
  id: string;
  title: string;
  about: Ref | null;
  severity: string;
  state: string;
  owner: Ref | null;
  findings: number;
  event_count: number;
  opened_at: number;
  changed_at: number;
  until: number | null;
  due: number | null;
  late: boolean;
  merged_into: string;
}

/** The findings to take out into a case of their own. */
export interface CaseSplit {
  findings: string[];
  why: string;
}

export interface ChangeShape {
  at: number;
  who: string;
  what: string;
}

/** ``what`` is new, gone or changed; ``fields`` names what differs. */
export interface ChangedAsset {
  asset: Ref;
  what: string;
  fields: string[];
}

export interface Claim {
  value: unknown;
  evidence: EvidenceShape;
}

/** One thing that may be corrected, with what the form needs to ask for it; ``question`` names it ``{asset}``. */
export interface Correctable {
  about: string;
  type: string;
  words: string[];
  meaning: string;
  question: string;
}

export interface CorrectableList {
  correctable: Correctable[];
}

/** ``about`` is a declared property, ``owner`` or ``process``; ``why`` is shown beside it from then on. */
export interface Correction {
  about: string;
  value: unknown;
  why: string;
  days?: number;
}

/** ``unseen_total`` counts all rows, of which the first are sent, failures before deliberate skips. */
export interface CoveragePage {
  sources: SourceRow[];
  failed: number;
  skipped: number;
  unseen_total: number;
  unseen: UnseenRow[];
  troubles: Trouble[];
}

/** ``shown`` assets stand behind the boxes; ``apart`` more have no known flow of data and are not on the map. */
export interface DataMap {
  columns: MapColumn[];
  boxes: MapBox[];
  links: MapLink[];
  labels: LabelCount[];
  shown: number;
  apart: number;
  groups: number;
  width: number;
  height: number;
  box_width: number;
}

/** A change was made; ``note`` says in words what happens now. */
export interface Done {
  note: string;
}

export interface EventList {
  events: EventRow[];
}

/** ``seen`` counts what was found by direction and category; no text is ever kept. */
export interface EventRow {
  id: string;
  at: number;
  kind: string;
  application: Ref | null;
  surface: string;
  provider: string;
  model: string;
  verdict: string;
  rules: string[];
  seen: Record<string, number>;
  findings: string[];
}

/** Who saw it, where, how surely, and the steps that led there. */
export interface EvidenceShape {
  collector: string;
  where: string;
  scope: string;
  confidence: string;
  chain: string[];
  seen_at: number;
  until: number | null;
}

export interface FacetValue {
  value: string;
  name: string;
  count: number;
}

/** ``severities`` counts before the severity filter, so that each count is what choosing it would show. */
export interface FindingList {
  total: number;
  severities: Record<string, number>;
  findings: Risk[];
}

/** A risk with all that it rests on. */
export interface FindingPage {
  risk: Risk;
  terms: Term[];
  cuts: Ref[];
  entry: string;
  rule: RulePage | null;
  tags: Tag[];
  related: Ref[];
}

/** What to change, how many risks that closes, how bad the worst of them is, and the risks, worst first. ``change`` is what ``penstock whatif`` takes, empty where it is none of the graph. ``ways`` counts the pairs of an entry and something worth taking that it parts. */
export interface FixGroup {
  at: Ref;
  owner: Owner;
  severity: string;
  closes: number;
  risks: Risk[];
  what: string;
  change: string;
  ways: number;
}

/** ``total`` counts changes, ``risks`` what they close together; ``severities`` as in the list of risks. */
export interface FixList {
  total: number;
  risks: number;
  severities: Record<string, number>;
  groups: FixGroup[];
}

/** ``status`` is ok, or degraded while something cannot be done; ``troubles`` says what. */
export interface Health {
  status: string;
  version: string;
  user: string;
  troubles: Trouble[];
}

export interface HolderList {
  label: string;
  total: number;
  holders: HolderRow[];
}

/** ``hops`` from ``origin``, where the data was seen; ``leakage`` says how readily it can be got out. */
export interface HolderRow {
  asset: Ref;
  how: string;
  leakage: string;
  hops: number;
  origin: Ref;
}

/** One step of a path. ``verb`` led here from the hop before; ``forward`` is False when read against the arrow. ``labels`` are what the asset holds, ``own_labels`` those it was seen to hold itself. ``cut`` marks the asset to change first. */
export interface Hop {
  asset: Ref;
  verb: string;
  forward: boolean;
  exposure: string;
  labels: string[];
  own_labels: string[];
  evidence: EvidenceShape[];
  cut: boolean;
}

/** Of how many assets a label is contained or seen. */
export interface LabelCount {
  label: string;
  contains: number;
  sees: number;
}

/** ``how`` is contains or sees; ``proof`` leads from where the data was seen to this asset. */
export interface LabelShape {
  label: string;
  how: string;
  mark: boolean;
  leakage: string;
  proof: Hop[];
}

/** A RunEvent, JobEvent or DatasetEvent of the specification; what else it holds is not read. */
export interface LineageEvent {
  producer: string;
  eventTime?: string;
  schemaURL?: string;
  eventType?: string;
  run?: Record<string, unknown>;
  job?: Record<string, unknown>;
  dataset?: Record<string, unknown>;
  inputs?: Record<string, unknown>[];
  outputs?: Record<string, unknown>[];
}

/** An asset, a group (``count`` above 1, the first of them named in ``assets``) or an audience (``count`` 0). ``short`` is as much of its name as fits the box. */
export interface MapBox {
  id: string;
  column: string;
  kind: string;
  name: string;
  short: string;
  detail: string;
  count: number;
  assets: Ref[];
  labels: LabelCount[];
  x: number;
  y: number;
  height: number;
}

/** ``count``: assets and audiences in it. */
export interface MapColumn {
  id: string;
  title: string;
  x: number;
  width: number;
  count: number;
}

/** Data flows from one box to another. ``points`` lead from giver to receiver; ``count`` relations are behind it. */
export interface MapLink {
  source: string;
  target: string;
  how: 'contains' | 'sees';
  labels: string[];
  verbs: string[];
  count: number;
  reasons: MapReason[];
  points: number[][];
}

/** One relation of a link, read aloud *source verb target*, with its strongest evidence. */
export interface MapReason {
  source: Ref;
  verb: string;
  target: Ref;
  labels: string[];
  evidence: EvidenceShape[];
}

/** ``outward``: read *this asset verb other*; else *other verb this asset*. */
export interface Neighbour {
  verb: string;
  outward: boolean;
  asset: Ref;
  evidence: EvidenceShape[];
}

/** Who answers for something; ``asset`` is empty while nobody is known. ``conflicts`` are others claimed. */
export interface Owner {
  asset: string;
  name: string;
  why: string;
  conflicts: string[];
}

export interface OwnerCount {
  owner: Ref;
  open: number;
}

/** What differed from the version before; the first one has no fields. */
export interface PastVersion {
  valid_from: number;
  valid_to: number | null;
  fields: string[];
}

/** Who must agree, who must know, and who is affected. */
export interface People {
  approver: string;
  informed: string[];
  affected: string[];
}

/** What happened, where, and what to do next. */
export interface Problem {
  message: string;
  where: string | null;
  hint: string | null;
  details: unknown;
}

/** The value that counts, and every claim for it, the winner first. */
export interface Property {
  name: string;
  value: unknown;
  claims: Claim[];
  conflict: boolean;
}

export interface QuarantineList {
  quarantines: QuarantineRow[];
}

export interface QuarantineRow {
  id: string;
  kind: string;
  name: string;
  application: Ref | null;
  who: string;
  why: string;
  at: number;
  until: number;
}

/** ``application``: only for this one (asset id); "" for all. */
export interface QuarantineWish {
  kind: 'application' | 'model' | 'tool';
  name: string;
  why: string;
  application?: string;
  days?: number;
}

/** The questions about one asset, the most pressing first. */
export interface QuestionGroup {
  asset: Ref;
  questions: QuestionShape[];
}

/** ``total`` counts questions, ``assets`` those they are about. */
export interface QuestionList {
  total: number;
  assets: number;
  groups: QuestionGroup[];
}

/** What only a person can say. ``answers`` is what a correction that answers it is about; "" when none can. */
export interface QuestionShape {
  asset: Ref;
  about: string;
  rule: string;
  answers: string;
}

/** How many things the event told of, and how many statements it made about them. */
export interface Received {
  things: number;
  statements: number;
}

/** An asset, as far as a link needs it. */
export interface Ref {
  id: string;
  kind: string;
  name: string;
}

/** A case that was left as it is, and why. */
export interface Refusal {
  case: string;
  why: string;
}

export interface Release {
  why: string;
}

/** A finding as a list shows it. ``fix_at`` is the asset to change; the path starts where an attacker would. */
export interface Risk {
  id: string;
  rule: string;
  title: string;
  severity: string;
  score: number;
  score_low: number;
  score_high: number;
  subject: Ref;
  explanation: string;
  fix: string;
  fix_at: Ref | null;
  path: Hop[];
  owner: Owner;
  state: string;
  case: string;
  first_seen: number | null;
}

/** What the rule looks for and why it matters. */
export interface RulePage {
  id: string;
  name: string;
  title: string;
  why: string;
  does_not_mean: string;
  match: string[];
  absent: string[];
  when: string;
  unless: string;
}

export interface ScanList {
  scans: ScanRow[];
}

export interface ScanRow {
  at: number;
  scopes: string[];
  finished: string[];
}

/** ``user`` is "" while nobody is signed in; ``asks`` is what the server demands: nothing, token or oidc. ``role`` is what the user may do: viewer, developer, approver or admin; "" while nobody is signed in. */
export interface SessionState {
  user: string;
  asks: string;
  role: string;
}

/** ``name`` is written beside what this person decides; the token alone says that they may. */
export interface SignIn {
  token: string;
  name: string;
}

/** ``since`` is None on a first look, when everything is new and listing it would say nothing. */
export interface SinceLastLook {
  since: number | null;
  added: number;
  removed: number;
  changed: number;
  new_risks: number;
  assets: ChangedAsset[];
}

/** ``complete`` names the relations of which everything is known here: only there is a missing one an absence. */
export interface SourceRow {
  scope: string;
  last_scan: number;
  last_finished: number | null;
  assets: number;
  failed: number;
  skipped: number;
  complete: string[];
}

/** A place in a public framework, and why the rule belongs there. */
export interface Tag {
  framework: string;
  id: string;
  why: string;
}

/** One term of the score and the reason for its value. */
export interface Term {
  name: string;
  value: unknown;
  why: string;
}

/** The first page. */
export interface Today {
  organisation: string;
  user: string;
  now: number;
  last_scan: number | null;
  kinds: Record<string, number>;
  changes: SinceLastLook;
  open_risks: Record<string, number>;
  top: Risk[];
  blind: Blind;
  question_count: number;
  questions: QuestionGroup[];
  case_count: number;
  cases: CaseRow[];
  troubles: Trouble[];
}

/** One call, the one before and after it inside the filter, and the rest of its conversation, oldest first. */
export interface TrafficCall {
  call: TrafficRow;
  newer: string;
  older: string;
  conversation: TrafficRow[];
  cases: Ref[];
  approvals: string[];
  facts: Record<string, string>;
}

/** Newest first. ``total`` passes the filter; the counts and times are of what passes it, too. ``cut``: there was more in that time than is looked through. Added milliseconds are what the gateway itself took. */
export interface TrafficList {
  total: number;
  cut: boolean;
  calls: TrafficRow[];
  verdicts: Record<string, number>;
  categories: Record<string, number>;
  added_p50: number | null;
  added_p99: number | null;
  usage: Usage[];
}

/** A call. ``seen`` counts what was found by direction and category; ``would`` is what enforcing would have done. */
export interface TrafficRow {
  id: string;
  at: number;
  application: Ref | null;
  model: string;
  provider: string;
  surface: string;
  verdict: string;
  would: string;
  seen: Record<string, number>;
  rules: string[];
  session: string;
  milliseconds: number | null;
  added_milliseconds: number | null;
  tokens_in: number | null;
  tokens_out: number | null;
  cost: number | null;
  tools: string[];
  status: number | null;
}

/** One answer of the first minute, and the ids it rests on. */
export interface TriageLine {
  question: string;
  answer: string;
  rests_on: string[];
}

/** Something the server itself could not do, so that nobody takes silence for health. */
export interface Trouble {
  what: string;
  why: string;
  since: number;
  times: number;
}

export interface UnseenRow {
  where: string;
  what: string;
  why: string;
  hint: string;
  collector: string;
  scope: string;
  skipped: boolean;
}

/** What an application used in the time looked at. */
export interface Usage {
  application: Ref;
  calls: number;
  tokens: number;
  cost: number;
  held_back: number;
}

/** Each label with its shortest proof; ``notes`` on what was removed, erased, or is of unknown origin. */
export interface WhyPage {
  asset: Ref;
  labels: LabelShape[];
  notes: string[];
}

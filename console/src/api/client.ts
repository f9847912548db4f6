import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import type {
  ApprovalAnswer,
  ApprovalList,
  AssetList,
  AssetPage,
  BulkDecision,
  BulkDone,
  CaseDecision,
  CaseList,
  CasePage,
  CorrectableList,
  Correction,
  CoveragePage,
  DataMap,
  Done,
  FindingList,
  FindingPage,
  FixList,
  Problem,
  QuarantineList,
  QuestionList,
  Release,
  SessionState,
  SignIn,
  Today,
  TrafficCall,
  TrafficList,
  WhyPage,
} from './shapes';
import { queryString } from '../parts/search';

/** What the server said went wrong: what, where, what to do next. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.message);
  }
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, { credentials: 'same-origin', ...init });
  } catch {
    throw new Refused(0, {
      message: 'The Penstock server does not answer',
      where: window.location.host,
      hint: 'See whether it still runs: penstock up',
      details: null,
    });
  }
  if (answer.ok) return (await answer.json()) as T;
  let problem: Problem;
  try {
    problem = (await answer.json()) as Problem;
  } catch {
    problem = { message: `The server answered ${answer.status}`, where: path, hint: null, details: null };
  }
  throw new Refused(answer.status, problem);
}

const send = <T>(method: string, path: string, body?: unknown) =>
  ask<T>(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) });

const id = encodeURIComponent;

export const client = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 5_000, retry: (n, error) => n < 1 && !(error instanceof Refused && error.status > 0) },
  },
});

export const sessionQuery = queryOptions({ queryKey: ['session'], queryFn: () => ask<SessionState>('/session') });
export const todayQuery = queryOptions({
  queryKey: ['today'],
  queryFn: () => ask<Today>('/today'),
  refetchInterval: 15_000,
});
export const assetsQuery = (search: string) =>
  queryOptions({
    queryKey: ['assets', search],
    queryFn: () => ask<AssetList>(`/assets${search}`),
    placeholderData: (before: AssetList | undefined) => before,
  });
export const assetQuery = (asset: string) =>
  queryOptions({ queryKey: ['asset', asset], queryFn: () => ask<AssetPage>(`/assets/${id(asset)}`) });
export const mapQuery = (search: string) =>
  queryOptions({
    queryKey: ['map', search],
    queryFn: () => ask<DataMap>(`/data/map${search}`),
    placeholderData: (before: DataMap | undefined) => before,
  });
export const whyQuery = (asset: string, label: string) =>
  queryOptions({ queryKey: ['why', asset, label], queryFn: () => ask<WhyPage>(`/data/why/${id(asset)}${queryString({ label })}`) });
/** A list that grows by a page when asked for more; `items` are what one page holds, `total` how many there are. */
const pages = <T>(key: string, path: string, search: Record<string, unknown>, size: number, items: (page: T) => unknown[], total: (page: T) => number) =>
  infiniteQueryOptions({
    queryKey: [key, search],
    queryFn: ({ pageParam }) => ask<T>(`${path}${queryString({ ...search, limit: size, offset: pageParam || undefined })}`),
    initialPageParam: 0,
    getNextPageParam: (last: T, all: T[]) => {
      const held = all.reduce((sum, page) => sum + items(page).length, 0);
      return held < total(last) && items(last).length > 0 ? held : undefined;
    },
    placeholderData: (before) => before,
  });

export const findingsQuery = (search: object) =>
  pages<FindingList>('findings', '/findings', { ...search }, 50, (page) => page.findings, (page) => page.total);
export const fixesQuery = (search: object) =>
  pages<FixList>('fixes', '/fixes', { ...search }, 20, (page) => page.groups, (page) => page.total);
export const questionsQuery = pages<QuestionList>('questions', '/questions', {}, 20, (page) => page.groups, (page) => page.assets);
export const findingQuery = (finding: string) =>
  queryOptions({ queryKey: ['finding', finding], queryFn: () => ask<FindingPage>(`/findings/${id(finding)}`) });
export const casesQuery = (search: string) =>
  queryOptions({
    queryKey: ['cases', search],
    queryFn: () => ask<CaseList>(`/cases${search}`),
    placeholderData: (before: CaseList | undefined) => before,
  });
export const approvalsQuery = queryOptions({ queryKey: ['approvals'], queryFn: () => ask<ApprovalList>('/approvals'), refetchInterval: 5_000 });
export const quarantineQuery = queryOptions({ queryKey: ['quarantine'], queryFn: () => ask<QuarantineList>('/quarantine') });
export const trafficQuery = (search: string) =>
  queryOptions({
    queryKey: ['traffic', search],
    queryFn: () => ask<TrafficList>(`/traffic${search}`),
    placeholderData: (before: TrafficList | undefined) => before,
    refetchInterval: 5_000,
  });
export const callQuery = (which: string, search: string) =>
  queryOptions({ queryKey: ['call', which, search], queryFn: () => ask<TrafficCall>(`/traffic/${id(which)}${search}`) });
export const caseQuery = (which: string) =>
  queryOptions({ queryKey: ['case', which], queryFn: () => ask<CasePage>(`/cases/${id(which)}`) });
export const coverageQuery = queryOptions({ queryKey: ['coverage'], queryFn: () => ask<CoveragePage>('/coverage') });
export const correctableQuery = queryOptions({
  queryKey: ['correctable'],
  queryFn: () => ask<CorrectableList>('/correctable'),
  staleTime: Infinity,
});

export const correct = (asset: string, body: Correction) => send<Done>('POST', `/assets/${id(asset)}/correct`, body);
export const decide = (which: string, body: CaseDecision) => send<Done>('POST', `/cases/${id(which)}`, body);
export const decideMany = (body: BulkDecision) => send<BulkDone>('POST', '/cases', body);
export const answerApproval = (which: string, body: ApprovalAnswer) => send<Done>('POST', `/approvals/${id(which)}`, body);
export const release = (which: string, body: Release) => send<Done>('POST', `/quarantine/${id(which)}/release`, body);
export const markSeen = () => send<Done>('POST', '/today/seen');
export const signIn = (body: SignIn) => send<SessionState>('POST', '/session', body);
export const signOut = () => send<SessionState>('DELETE', '/session');

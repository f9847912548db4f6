import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { caseQuery, casesQuery, decide, decideMany } from '../api/client';
import type { BulkDecision, CaseDecision, CaseList, CasePage } from '../api/shapes';
import { AssetLink, Empty, Failed, Section, Severity } from '../parts/bits';
import { Page } from '../parts/Page';
import { RiskCard } from '../parts/RiskCard';
import { type CaseSearch, queryString } from '../parts/search';
import { Traffic } from '../parts/Traffic';
import { ago, count, day, moment } from '../parts/words';

const route = getRouteApi('/cases/$id');
const listRoute = getRouteApi('/cases');

const PAGE = 100;

export function Cases() {
  const search = listRoute.useSearch();
  const query = useQuery(casesQuery(queryString({ ...search, state: search.state ?? ['open'], limit: PAGE, offset: search.offset ?? 0 })));
  return (
    <Page title="Cases" query={query}>
      {(list) => <CaseTable list={list} search={search} />}
    </Page>
  );
}

function CaseTable({ list, search }: { list: CaseList; search: CaseSearch }) {
  const navigate = listRoute.useNavigate();
  const change = (next: Partial<CaseSearch>) => navigate({ search: (before) => ({ ...before, offset: undefined, ...next }), replace: true });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const shown = list.cases.map((c) => c.id);
  const marked = shown.filter((id) => chosen.has(id));
  const offset = search.offset ?? 0;
  const state = search.state?.[0] ?? 'open';
  const all = Object.values(list.states).reduce((sum, n) => sum + n, 0);
  return (
    <>
      <header className="page-head row">
        <h1>Cases</h1>
        <p className="quiet" role="status">
          {count(list.total, 'case')}
          {list.late > 0 && (
            <>
              , <button type="button" className="link-button" onClick={() => change({ late: search.late ? undefined : true, state: undefined })}>{search.late ? 'show all' : `${list.late} overdue`}</button>
            </>
          )}
        </p>
      </header>
      <form className="filters" aria-label="Filters" onSubmit={(e) => e.preventDefault()}>
        <NativeSelect label="State" value={state} data={['open', 'snoozed', 'accepted', 'resolved'].map((value) => ({ value, label: `${value} (${list.states[value] ?? 0})` }))} onChange={(e) => change({ state: [e.currentTarget.value] })} />
        <NativeSelect label="Severity" value={search.severity?.[0] ?? ''} data={[{ value: '', label: 'any' }, ...['critical', 'high', 'medium', 'low', 'info'].map((value) => ({ value, label: value }))]} onChange={(e) => change({ severity: e.currentTarget.value ? [e.currentTarget.value] : undefined })} />
        <NativeSelect label="Owner" value={search.owner ?? ''} data={[{ value: '', label: 'anybody' }, ...list.owners.map((o) => ({ value: o.owner.id, label: `${o.owner.name} (${o.open})` }))]} onChange={(e) => change({ owner: e.currentTarget.value || undefined })} />
        <TextInput label="Words" type="search" defaultValue={search.q ?? ''} onChange={(e) => change({ q: e.currentTarget.value || undefined })} maxLength={200} />
      </form>
      {list.cases.length === 0 ? (
        <Empty>
          <h2>{all === 0 ? 'No case waits for anybody' : 'No case matches'}</h2>
          <p>{all === 0 ? 'A case opens by itself when risks or events with one cause need a person.' : 'Take a filter away, or look at another state.'}</p>
        </Empty>
      ) : (
        <>
          <div className="table-scroll" role="region" aria-label="Cases" tabIndex={0}>
            <table className="table">
              <thead>
                <tr>
                  <th scope="col" className="col-mark">
                    <input type="checkbox" aria-label="Choose all that are shown" checked={marked.length > 0 && marked.length === shown.length} onChange={(e) => setChosen(new Set(e.currentTarget.checked ? shown : []))} />
                  </th>
                  <th scope="col">Case</th>
                  <th scope="col">Severity</th>
                  <th scope="col">Owner</th>
                  <th scope="col">Holds</th>
                  <th scope="col">Due</th>
                  <th scope="col" className="col-wide">
                    Opened
                  </th>
                </tr>
              </thead>
              <tbody>
                {list.cases.map((c) => (
                  <tr key={c.id}>
                    <td className="col-mark">
                      <input
                        type="checkbox"
                        aria-label={`Choose ${c.title}`}
                        checked={chosen.has(c.id)}
                        onChange={(e) => {
                          const next = new Set(chosen);
                          if (e.currentTarget.checked) next.add(c.id);
                          else next.delete(c.id);
                          setChosen(next);
                        }}
                      />
                    </td>
                    <td className="break">
                      <Link to="/cases/$id" params={{ id: c.id }} className="strong">
                        {c.title}
                      </Link>
                      {c.about && <span className="quiet small block">{c.about.name}</span>}
                      {c.until && <span className="quiet small block">{c.state} until {day(c.until)}</span>}
                    </td>
                    <td>
                      <Severity level={c.severity} />
                    </td>
                    <td>{c.owner ? c.owner.name : <span className="quiet">nobody known</span>}</td>
                    <td>
                      {[c.findings > 0 && count(c.findings, 'risk'), c.event_count > 0 && count(c.event_count, 'event')].filter(Boolean).join(', ') || <span className="quiet">nothing now</span>}
                    </td>
                    <td className="nowrap">{c.due === null ? <span className="quiet">no date</span> : <span className={c.due * 1000 < Date.now() ? 'warn' : undefined} title={moment(c.due)}>{c.due * 1000 < Date.now() ? `overdue since ${day(c.due)}` : day(c.due)}</span>}</td>
                    <td className="nowrap quiet col-wide" title={moment(c.opened_at)}>
                      {ago(c.opened_at)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {list.total > PAGE && (
            <nav className="pager" aria-label="Pages of the list">
              <Button variant="default" size="xs" disabled={offset === 0} onClick={() => change({ offset: Math.max(0, offset - PAGE) || undefined })}>
                Previous
              </Button>
              <span className="quiet small">
                {offset + 1}–{Math.min(offset + PAGE, list.total)} of {list.total}
              </span>
              <Button variant="default" size="xs" disabled={offset + PAGE >= list.total} onClick={() => change({ offset: offset + PAGE })}>
                Next
              </Button>
            </nav>
          )}
          {marked.length > 0 && <Bulk ids={marked} state={state} onDone={() => setChosen(new Set())} />}
        </>
      )}
    </>
  );
}

const MANY: Record<BulkDecision['action'], string> = {
  resolve: 'Resolve',
  snooze: 'Look again later',
  accept: 'Accept until a date',
  merge: 'Make them one case',
  reopen: 'Open again',
};

/** One decision about all that are chosen, at the foot of the page where the choosing ends. */
function Bulk({ ids, state, onDone }: { ids: string[]; state: string; onDone: () => void }) {
  const queries = useQueryClient();
  const offered = (Object.keys(MANY) as BulkDecision['action'][]).filter((action) => (state === 'open' ? action !== 'reopen' : action === 'reopen') && (action !== 'merge' || ids.length > 1));
  const [action, setAction] = useState<BulkDecision['action']>('resolve');
  const [why, setWhy] = useState('');
  const [days, setDays] = useState('30');
  const now = offered.includes(action) ? action : (offered[0] ?? 'resolve');
  const save = useMutation({
    mutationFn: () => decideMany({ cases: ids, action: now, why, days: Number(days) }),
    onSuccess: async (done) => {
      await queries.invalidateQueries();
      if (done.refused.length === 0) onDone();
    },
  });
  return (
    <form
      className="bulk"
      aria-label="Decide about what is chosen"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <span className="strong nowrap" role="status">
        {count(ids.length, 'case')} chosen
      </span>
      <NativeSelect aria-label="Decision" value={now} data={offered.map((value) => ({ value, label: MANY[value] }))} onChange={(e) => setAction(e.currentTarget.value as BulkDecision['action'])} />
      {(now === 'accept' || now === 'snooze') && <NativeSelect aria-label="For how long" value={days} data={['7', '30', '90'].map((value) => ({ value, label: `${value} days` }))} onChange={(e) => setDays(e.currentTarget.value)} />}
      <TextInput aria-label="Why?" placeholder="Why? Kept in each history" className="grow" value={why} onChange={(e) => setWhy(e.currentTarget.value)} maxLength={2000} />
      <Button type="submit" size="sm" loading={save.isPending} disabled={why.trim().length < 3}>
        Decide
      </Button>
      <Button type="button" size="sm" variant="default" onClick={onDone}>
        Choose none
      </Button>
      {save.error && <Failed error={save.error} />}
      {save.data && save.data.refused.length > 0 && (
        <p className="small" role="status">
          {save.data.note}. Left as they are: {save.data.refused.map((r) => r.why).join('; ')}
        </p>
      )}
    </form>
  );
}

export function CaseView() {
  const { id } = route.useParams();
  const query = useQuery(caseQuery(id));
  return (
    <Page title={query.data?.case.title ?? 'Case'} query={query}>
      {(page) => <CaseBody key={id} page={page} />}
    </Page>
  );
}

function CaseBody({ page }: { page: CasePage }) {
  const { case: c } = page;
  return (
    <>
      <header className="page-head">
        <p className="crumbs">
          <Link to="/cases">Cases</Link>
        </p>
        <h1>{c.title}</h1>
        <p className="facts-line">
          <Severity level={c.severity} />
          <span className="tag">{c.state}</span>
          {c.about && <AssetLink asset={c.about} />}
          {c.until && <span>until {day(c.until)}</span>}
          <span title={moment(c.opened_at)}>opened {ago(c.opened_at)}</span>
          {c.due && <span className={c.due * 1000 < Date.now() ? 'warn' : undefined}>{c.due * 1000 < Date.now() ? `overdue since ${day(c.due)}` : `due ${day(c.due)}`}</span>}
          {c.event_count > 0 && <span>{count(c.event_count, 'event')}</span>}
        </p>
        {c.merged_into && (
          <p>
            It was merged into{' '}
            <Link to="/cases/$id" params={{ id: c.merged_into }}>
              another case
            </Link>
            .
          </p>
        )}
      </header>
      <Section title="In short">
        <dl className="props summary">
          {page.summary.map((line) => (
            <div key={line.question}>
              <dt>{line.question}</dt>
              <dd className="break">{line.answer}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <div className="two">
        <Section title="People">
          <dl className="props">
            <dt>Owner</dt>
            <dd>
              {c.owner ? <AssetLink asset={c.owner} /> : 'Nobody is known to own it'}
              {page.owner_why && <span className="quiet small block">{page.owner_why}</span>}
            </dd>
            <dt>Approves</dt>
            <dd>{page.approver ? <AssetLink asset={page.approver} /> : <span className="quiet">nobody known</span>}</dd>
            <dt>Must know</dt>
            <dd>{page.informed.length ? page.informed.map((who) => <AssetLink key={who.id} asset={who} />) : <span className="quiet">nobody named</span>}</dd>
            <dt>Affected</dt>
            <dd className="links">
              {page.affected.length ? page.affected.slice(0, 12).map((what) => <AssetLink key={what.id} asset={what} />) : <span className="quiet">nothing known</span>}
              {page.affected.length > 12 && <span className="quiet small">and {page.affected.length - 12} more</span>}
            </dd>
          </dl>
        </Section>
        <Section title="Decide">
          <Decide id={c.id} state={c.state} />
        </Section>
      </div>
      <Section title="Risks">
        {page.risks.length === 0 ? (
          <p className="quiet">No open risk is left on it.</p>
        ) : (
          <div className="cards">
            {page.risks.map((risk) => (
              <RiskCard key={risk.id} risk={risk} />
            ))}
          </div>
        )}
      </Section>
      {c.event_count > 0 && (
        <Section title="What happened">
          <Traffic events={page.events} />
        </Section>
      )}
      <Section title="History">
        <ol className="plain history">
          {page.history.toReversed().map((change, i) => (
            <li key={i}>
              <span className="quiet nowrap">{moment(change.at)}</span>
              <span>
                {change.what} <span className="quiet">· {change.who}</span>
              </span>
            </li>
          ))}
        </ol>
      </Section>
    </>
  );
}

const ACTIONS: Record<CaseDecision['action'], string> = {
  accept: 'Live with it until a date',
  snooze: 'Look again later',
  resolve: 'It is done',
  reopen: 'Open it again',
};

function Decide({ id, state }: { id: string; state: string }) {
  const queries = useQueryClient();
  const offered = (Object.keys(ACTIONS) as CaseDecision['action'][]).filter((action) =>
    state === 'open' ? action !== 'reopen' : action === 'reopen' && state !== 'accepted',
  );
  const [action, setAction] = useState<CaseDecision['action']>(offered[0] ?? 'accept');
  const [why, setWhy] = useState('');
  const [days, setDays] = useState('90');
  const now = offered.includes(action) ? action : offered[0];
  const save = useMutation({
    mutationFn: () => decide(id, { action: now ?? 'accept', why, days: Number(days) }),
    onSuccess: () => {
      setWhy('');
      return queries.invalidateQueries();
    },
  });
  if (!now) return <p className="quiet">It is accepted; it comes back when the acceptance ends.</p>;
  return (
    <form
      className="correct"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <NativeSelect label="Decision" value={now} data={offered.map((value) => ({ value, label: ACTIONS[value] }))} onChange={(e) => setAction(e.currentTarget.value as CaseDecision['action'])} />
      {(now === 'accept' || now === 'snooze') && (
        <NativeSelect label="For" value={days} data={['7', '30', '90'].map((value) => ({ value, label: `${value} days` }))} onChange={(e) => setDays(e.currentTarget.value)} />
      )}
      <Textarea label="Why?" description="Kept in the history, with your name" value={why} onChange={(e) => setWhy(e.currentTarget.value)} required minLength={3} maxLength={2000} rows={2} />
      <div className="buttons">
        <Button type="submit" size="sm" loading={save.isPending} disabled={why.trim().length < 3}>
          Save decision
        </Button>
      </div>
      {save.error && <Failed error={save.error} />}
      {save.data && (
        <p role="status" className="small">
          {save.data.note}
        </p>
      )}
    </form>
  );
}

import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect } from 'react';
import { callQuery, trafficQuery } from '../api/client';
import type { TrafficCall, TrafficList, TrafficRow } from '../api/shapes';
import { AssetLink, Empty, Section } from '../parts/bits';
import { Page } from '../parts/Page';
import { type LiveSearch, queryString } from '../parts/search';
import { ago, count, DID, labelName, moment, plain, say } from '../parts/words';

const PAGE = 100;
const list = getRouteApi('/live');
const one = getRouteApi('/live/$id');
const HOURS = [
  ['1', 'last hour'],
  ['24', 'last day'],
  ['168', 'last week'],
  ['720', 'last 30 days'],
] as const;

export function Live() {
  const search = list.useSearch();
  const query = useQuery(trafficQuery(queryString({ ...search, limit: PAGE, offset: search.offset ?? 0 })));
  return (
    <Page title="Live" query={query}>
      {(found) => <Traffic found={found} search={search} />}
    </Page>
  );
}

function Traffic({ found, search }: { found: TrafficList; search: LiveSearch }) {
  const navigate = list.useNavigate();
  const change = (next: Partial<LiveSearch>) => navigate({ search: (before) => ({ ...before, offset: undefined, ...next }), replace: true });
  const offset = search.offset ?? 0;
  const narrowed = Boolean(search.application || search.verdict?.length || search.seen || search.model || search.session);
  return (
    <>
      <header className="page-head row">
        <h1>Live</h1>
        <p className="quiet" role="status">
          {count(found.total, 'call')}
          {found.cut && ', the newest of more'}
          {found.added_p50 !== null && `; the gateway adds ${ms(found.added_p50)} (p50), ${ms(found.added_p99)} (p99)`}
        </p>
      </header>
      <form className="filters" aria-label="Filters" onSubmit={(e) => e.preventDefault()}>
        <NativeSelect label="Time" value={search.hours ?? '24'} data={HOURS.map(([value, label]) => ({ value, label }))} onChange={(e) => change({ hours: e.currentTarget.value as LiveSearch['hours'] })} />
        <NativeSelect label="Decision" value={search.verdict?.[0] ?? ''} data={[{ value: '', label: 'any' }, ...options(found.verdicts, search.verdict?.[0], (word) => DID[word] ?? word)]} onChange={(e) => change({ verdict: e.currentTarget.value ? [e.currentTarget.value] : undefined })} />
        <NativeSelect label="Found in it" value={search.seen ?? ''} data={[{ value: '', label: 'anything' }, ...options(found.categories, search.seen, labelName)]} onChange={(e) => change({ seen: e.currentTarget.value || undefined })} />
        <NativeSelect label="Application" value={search.application ?? ''} data={[{ value: '', label: 'all' }, ...found.usage.map((u) => ({ value: u.application.id, label: u.application.name })), ...(search.application && !found.usage.some((u) => u.application.id === search.application) ? [{ value: search.application, label: 'the chosen one' }] : [])]} onChange={(e) => change({ application: e.currentTarget.value || undefined })} />
        {narrowed && (
          <Button variant="subtle" size="compact-sm" onClick={() => navigate({ search: { hours: search.hours }, replace: true })}>
            Clear filters
          </Button>
        )}
      </form>
      {found.total === 0 ? (
        <Empty>
          <h2>{narrowed ? 'No call matches' : 'No call went through the gateway in this time'}</h2>
          {narrowed ? (
            <p>Take a filter away, or look further back.</p>
          ) : (
            <>
              <p>Give an application a key and point its client at the gateway:</p>
              <pre>penstock keys add APPLICATION</pre>
            </>
          )}
        </Empty>
      ) : (
        <>
          <CallTable rows={found.calls} search={search} label="Calls" />
          {found.total > PAGE && (
            <nav className="pager" aria-label="Pages of the list">
              <Button variant="default" size="xs" disabled={offset === 0} onClick={() => change({ offset: Math.max(0, offset - PAGE) || undefined })}>
                Newer
              </Button>
              <span className="quiet small">
                {offset + 1}–{Math.min(offset + PAGE, found.total)} of {found.total}
              </span>
              <Button variant="default" size="xs" disabled={offset + PAGE >= found.total} onClick={() => change({ offset: offset + PAGE })}>
                Older
              </Button>
            </nav>
          )}
          <UsageTable found={found} search={search} />
        </>
      )}
    </>
  );
}

const options = (counts: Record<string, number>, chosen: string | undefined, word: (name: string) => string) =>
  [...new Set([...Object.keys(counts), ...(chosen ? [chosen] : [])])].map((name) => ({ value: name, label: `${word(name)} (${counts[name] ?? 0})` }));

function CallTable({ rows, search, label, here }: { rows: TrafficRow[]; search: LiveSearch; label: string; here?: string }) {
  return (
    <div className="table-scroll" role="region" aria-label={label} tabIndex={0} onKeyDown={upAndDown}>
      <table className="table calls">
        <thead>
          <tr>
            <th scope="col">Call</th>
            <th scope="col">Application</th>
            <th scope="col">Decision</th>
            <th scope="col">Found</th>
            <th scope="col" className="col-wide">
              Took
            </th>
            <th scope="col" className="col-wide">
              Tokens
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((call) => (
            <tr key={call.id} aria-current={call.id === here ? 'true' : undefined} className={call.id === here ? 'row-here' : undefined}>
              <td>
                <Link to="/live/$id" params={{ id: call.id }} search={search} className="strong row-link" title={moment(call.at)}>
                  {ago(call.at)}
                </Link>
                <span className="quiet small block break">{[call.provider, call.model].filter(Boolean).join(' / ')}</span>
              </td>
              <td>{call.application ? <AssetLink asset={call.application} /> : <span className="quiet">unknown key</span>}</td>
              <td>
                <Verdict call={call} />
              </td>
              <td>
                <Found seen={call.seen} />
              </td>
              <td className="nowrap col-wide">{call.milliseconds === null ? '–' : ms(call.milliseconds)}</td>
              <td className="nowrap col-wide">{call.tokens_in === null && call.tokens_out === null ? '–' : `${say(call.tokens_in ?? 0)} → ${say(call.tokens_out ?? 0)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Verdict({ call }: { call: TrafficRow }) {
  return (
    <>
      <span className={`verdict verdict-${call.verdict}`}>{DID[call.verdict] ?? call.verdict}</span>
      {call.would && call.would !== call.verdict && <span className="quiet small block">would be {DID[call.would] ?? call.would}</span>}
    </>
  );
}

function Found({ seen }: { seen: Record<string, number> }) {
  const parts = Object.entries(seen).filter(([, n]) => n > 0);
  if (parts.length === 0) return <span className="quiet">nothing</span>;
  return (
    <ul className="plain found">
      {parts.map(([what, n]) => {
        const [direction, category] = what.split('.', 2);
        return (
          <li key={what}>
            {n} × {labelName(category ?? what)} <span className="quiet small">{direction === 'out' ? 'in the answer' : direction === 'in' ? 'in the prompt' : ''}</span>
          </li>
        );
      })}
    </ul>
  );
}

function UsageTable({ found, search }: { found: TrafficList; search: LiveSearch }) {
  return (
    <Section title="What applications used">
      <div className="table-scroll" role="region" aria-label="Use by application" tabIndex={0}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Application</th>
              <th scope="col">Calls</th>
              <th scope="col">Held back</th>
              <th scope="col">Tokens</th>
              <th scope="col">Cost</th>
            </tr>
          </thead>
          <tbody>
            {found.usage.map((used) => (
              <tr key={used.application.id}>
                <th scope="row">
                  <AssetLink asset={used.application} />
                </th>
                <td>
                  <Link to="/live" search={{ ...search, application: used.application.id, offset: undefined }} aria-label={`${used.calls} calls of ${used.application.name}`}>
                    {say(used.calls)}
                  </Link>
                </td>
                <td>{used.held_back || <span className="quiet">none</span>}</td>
                <td>{used.tokens ? say(used.tokens) : <span className="quiet">not told</span>}</td>
                <td>{used.cost ? `$${used.cost.toFixed(used.cost < 1 ? 4 : 2)}` : <span className="quiet">unknown</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

export function CallView() {
  const { id } = one.useParams();
  const search = one.useSearch();
  const query = useQuery(callQuery(id, queryString({ ...search, offset: undefined })));
  return (
    <Page title="Call" query={query}>
      {(page) => <CallBody key={id} page={page} search={search} />}
    </Page>
  );
}

function CallBody({ page, search }: { page: TrafficCall; search: LiveSearch }) {
  const { call } = page;
  const navigate = one.useNavigate();
  useEffect(() => {
    const keys = (event: globalThis.KeyboardEvent) => {
      const at = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
      const to = event.key === 'j' ? page.older : event.key === 'k' ? page.newer : '';
      if (to) void navigate({ to: '/live/$id', params: { id: to }, search });
    };
    document.addEventListener('keydown', keys);
    return () => document.removeEventListener('keydown', keys);
  }, [page, search, navigate]);
  return (
    <>
      <header className="page-head">
        <p className="crumbs">
          <Link to="/live" search={search}>
            Live
          </Link>
        </p>
        <div className="row">
          <h1>
            {call.model || plain(call.surface) || 'Call'}, {ago(call.at)}
          </h1>
          <nav className="pager" aria-label="Calls inside the filter">
            <Step to={page.newer} search={search} name="Newer" hint="k" />
            <Step to={page.older} search={search} name="Older" hint="j" />
          </nav>
        </div>
        <p className="facts-line">
          <Verdict call={call} />
          {call.application ? <AssetLink asset={call.application} /> : <span>unknown key</span>}
          <span>{moment(call.at)}</span>
          {call.status !== null && <span>status {call.status}</span>}
        </p>
      </header>
      <div className="two">
        <Section title="What was found">
          <Found seen={call.seen} />
          {call.rules.length > 0 && <p className="small">Rules: {call.rules.join(', ')}</p>}
          <p className="quiet small">Texts are never kept, only what was found in them.</p>
        </Section>
        <Section title="The call">
          <dl className="props">
            <dt>Model</dt>
            <dd>{[call.provider, call.model].filter(Boolean).join(' / ') || 'not told'}</dd>
            <dt>Protocol</dt>
            <dd>{call.surface || 'unknown'}</dd>
            <dt>Took</dt>
            <dd>
              {call.milliseconds === null ? 'not told' : ms(call.milliseconds)}
              {call.added_milliseconds !== null && `, of it ${ms(call.added_milliseconds)} at the gateway`}
            </dd>
            {call.cost !== null && (
              <>
                <dt>Cost</dt>
                <dd>${call.cost.toFixed(6)}</dd>
              </>
            )}
            {Object.entries(page.facts).map(([name, value]) => (
              <Fact key={name} name={name} value={value} />
            ))}
          </dl>
        </Section>
      </div>
      {(page.cases.length > 0 || page.approvals.length > 0) && (
        <Section title="What follows from it">
          <ul className="plain">
            {page.cases.map((c) => (
              <li key={c.id}>
                <Link to="/cases/$id" params={{ id: c.id }}>
                  {c.name}
                </Link>
              </li>
            ))}
            {page.approvals.length > 0 && (
              <li>
                <Link to="/approvals">{count(page.approvals.length, 'request')} for approval</Link>
              </li>
            )}
          </ul>
        </Section>
      )}
      {page.conversation.length > 1 && (
        <Section title="The conversation">
          <CallTable rows={page.conversation} search={search} label="Calls of the conversation" here={call.id} />
        </Section>
      )}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{plain(name)}</dt>
      <dd className="break">{value}</dd>
    </>
  );
}

function Step({ to, search, name, hint }: { to: string; search: LiveSearch; name: string; hint: string }) {
  if (!to) return <span className="quiet small">{name === 'Newer' ? 'the newest' : 'the oldest'}</span>;
  return (
    <Link to="/live/$id" params={{ id: to }} search={search} title={`Press ${hint}`}>
      {name}
    </Link>
  );
}

const ms = (value: number | null) => (value === null ? '–' : value < 10 ? `${value.toFixed(1)} ms` : value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`);

/** Arrow keys walk the rows of a table of links. */
function upAndDown(event: KeyboardEvent<HTMLElement>) {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('.row-link')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = links[event.key === 'ArrowDown' ? at + 1 : at - 1];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

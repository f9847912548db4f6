import { Button, NativeSelect, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { caseQuery, casesQuery, decide } from '../api/client';
import type { CaseDecision, CasePage } from '../api/shapes';
import { AssetLink, Empty, Failed, Section, Severity } from '../parts/bits';
import { Page } from '../parts/Page';
import { RiskCard } from '../parts/RiskCard';
import { Traffic } from '../parts/Traffic';
import { ago, count, day, moment } from '../parts/words';

const route = getRouteApi('/cases/$id');

export function Cases() {
  const query = useQuery(casesQuery(''));
  return (
    <Page title="Cases" query={query}>
      {(list) => (
        <>
          <header className="page-head row">
            <h1>Cases</h1>
            <p className="quiet">
              {Object.entries(list.states)
                .map(([state, n]) => `${n} ${state}`)
                .join(', ')}
            </p>
          </header>
          {list.cases.length === 0 ? (
            <Empty>
              <h2>No case waits for anybody</h2>
              <p>A case opens by itself when risks or events with one cause need a person.</p>
            </Empty>
          ) : (
            <div className="table-scroll" role="region" aria-label="Cases" tabIndex={0}>
              <table className="table">
                <thead>
                  <tr>
                    <th scope="col">Case</th>
                    <th scope="col">Severity</th>
                    <th scope="col">State</th>
                    <th scope="col">Owner</th>
                    <th scope="col">Holds</th>
                    <th scope="col">Opened</th>
                  </tr>
                </thead>
                <tbody>
                  {list.cases.map((c) => (
                    <tr key={c.id}>
                      <td>
                        <Link to="/cases/$id" params={{ id: c.id }} className="strong">
                          {c.title}
                        </Link>
                        {c.about && <span className="quiet small block">{c.about.name}</span>}
                      </td>
                      <td>
                        <Severity level={c.severity} />
                      </td>
                      <td className="nowrap">
                        {c.state}
                        {c.until && <span className="quiet small"> until {day(c.until)}</span>}
                      </td>
                      <td>{c.owner ? c.owner.name : <span className="quiet">nobody known</span>}</td>
                      <td className="nowrap">
                        {count(c.findings, 'risk')}
                        {c.event_count > 0 && `, ${count(c.event_count, 'event')}`}
                      </td>
                      <td className="nowrap quiet" title={moment(c.opened_at)}>
                        {ago(c.opened_at)}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      )}
    </Page>
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
          {c.event_count > 0 && <span>{count(c.event_count, 'event')}</span>}
        </p>
      </header>
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

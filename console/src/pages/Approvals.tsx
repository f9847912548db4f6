import { Button, NativeSelect, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { answerApproval, approvalsQuery, quarantineQuery, release } from '../api/client';
import type { ApprovalList, ApprovalRow } from '../api/shapes';
import { AssetLink, Empty, Failed, Section } from '../parts/bits';
import { Page } from '../parts/Page';
import { ago, count, day, lasting, moment, plain } from '../parts/words';

export function Approvals() {
  const query = useQuery(approvalsQuery);
  return (
    <Page title="Approvals" query={query}>
      {(list) => <Listed list={list} />}
    </Page>
  );
}

function Listed({ list }: { list: ApprovalList }) {
  const waiting = list.approvals.filter((one) => one.state === 'asked');
  const mine = waiting.filter((one) => !one.objection);
  const others = waiting.filter((one) => one.objection);
  const done = list.approvals.filter((one) => one.state !== 'asked');
  return (
    <>
      <header className="page-head">
        <h1>Approvals</h1>
        <p className="lead">
          {waiting.length === 0 ? 'Nobody waits for an answer' : `${count(list.states.asked ?? waiting.length, 'request')} ${waiting.length === 1 ? 'waits' : 'wait'} for an answer, ${mine.length === 0 ? 'none of them' : mine.length} for you`}
          {list.median_seconds !== null && `; answers usually take ${lasting(list.median_seconds)}`}.
        </p>
      </header>
      {waiting.length === 0 && (
        <Empty>
          <h2>Nothing is held back</h2>
          <p>
            A request opens when the gateway holds back a call that a rule lets a person decide about, or when somebody asks to use something new. What could not be seen stands under{' '}
            <Link to="/coverage">Coverage</Link>.
          </p>
        </Empty>
      )}
      {mine.length > 0 && (
        <Section title="For you">
          <div className="cards">
            {mine.map((one) => (
              <Request key={one.id} one={one} list={list} />
            ))}
          </div>
        </Section>
      )}
      {others.length > 0 && (
        <Section title="Waiting for others">
          <div className="cards">
            {others.map((one) => (
              <Request key={one.id} one={one} list={list} />
            ))}
          </div>
        </Section>
      )}
      <Aside />
      {done.length > 0 && <Answered rows={done} />}
    </>
  );
}

function Request({ one, list }: { one: ApprovalRow; list: ApprovalList }) {
  return (
    <article className="card request" aria-labelledby={`request-${one.id}`}>
      <h3 id={`request-${one.id}`} className="request-what">
        {one.subject}
      </h3>
      <p className="facts-line">
        <AssetLink asset={one.about} />
        <span className="tag">{KIND[one.kind] ?? one.kind}</span>
        <span title={moment(one.asked_at)}>asked {ago(one.asked_at)}</span>
        {one.times > 1 && <span>{one.times} times</span>}
        {one.late && <span className="warn">security was told</span>}
      </p>
      <dl className="props">
        <dt>Why it asks</dt>
        <dd>{one.why || <span className="quiet">no reason given</span>}</dd>
        <dt>Asked by</dt>
        <dd>{one.requester || <span className="quiet">the application itself</span>}</dd>
        <dt>Answers</dt>
        <dd>
          {one.approver ? one.approver.name : <span className="warn">nobody could be found</span>}
          <span className="quiet small block">{one.approver_why}</span>
        </dd>
        {one.affected.length > 0 && (
          <>
            <dt>Affected</dt>
            <dd className="links">
              {one.affected.map((what) => (
                <AssetLink key={what.id} asset={what} />
              ))}
            </dd>
          </>
        )}
        <dt>A yes holds</dt>
        <dd>{one.kind !== 'ask' ? 'until its end' : one.single ? 'for one call' : one.session ? 'for this one conversation' : 'for every such call'}</dd>
        <dt>Without an answer</dt>
        <dd>
          the answer is no, <span title={moment(one.answer_by)}>in {lasting(one.answer_by - Date.now() / 1000)}</span>
        </dd>
      </dl>
      {one.objection ? <p className="quiet small">{one.objection}.</p> : <Answer one={one} list={list} />}
    </article>
  );
}

const KIND: Record<string, string> = {
  ask: 'held-back call',
  acceptance: 'risk to accept',
  declassification: 'label to lower',
  model: 'new model',
  provider: 'new provider',
  tool: 'new tool',
};

/** Lengths of a yes to a call, in minutes; what the operator does not allow is left out. */
const LENGTHS = [15, 60, 240, 480, 1440];

function Answer({ one, list }: { one: ApprovalRow; list: ApprovalList }) {
  const queries = useQueryClient();
  const lengths = LENGTHS.filter((minutes) => minutes <= list.most_grant_minutes);
  const usual = lengths.includes(list.grant_minutes) ? list.grant_minutes : (lengths[0] ?? 15);
  const [minutes, setMinutes] = useState(String(usual));
  const [why, setWhy] = useState('');
  const save = useMutation({
    mutationFn: (action: 'grant' | 'refuse') => answerApproval(one.id, { action, why, minutes: one.kind === 'ask' && action === 'grant' ? Number(minutes) : null }),
    onSettled: () => queries.invalidateQueries(),
  });
  const reasonNeeded = one.kind !== 'ask';
  const reason = why.trim().length >= 3;
  return (
    <form className="request-answer" onSubmit={(event) => event.preventDefault()}>
      <Textarea label="Why?" description={reasonNeeded ? 'Kept with your name' : 'Kept with your name; a no needs one'} value={why} onChange={(e) => setWhy(e.currentTarget.value)} maxLength={2000} rows={1} autosize maxRows={6} />
      <div className="buttons">
        {one.kind === 'ask' && <NativeSelect aria-label="How long a yes lasts" value={minutes} data={lengths.map((m) => ({ value: String(m), label: `for ${lasting(m * 60)}` }))} onChange={(e) => setMinutes(e.currentTarget.value)} />}
        <Button type="button" size="sm" loading={save.isPending} disabled={reasonNeeded && !reason} onClick={() => save.mutate('grant')}>
          Allow
        </Button>
        <Button type="button" size="sm" variant="default" loading={save.isPending} disabled={!reason} onClick={() => save.mutate('refuse')}>
          Refuse
        </Button>
      </div>
      {save.error && <Failed error={save.error} />}
    </form>
  );
}

/** What is stopped at the gateway until somebody looked, and the way back. */
function Aside() {
  const query = useQuery(quarantineQuery);
  const queries = useQueryClient();
  const [why, setWhy] = useState('');
  const free = useMutation({ mutationFn: (which: string) => release(which, { why }), onSettled: () => queries.invalidateQueries() });
  const rows = query.data?.quarantines ?? [];
  if (rows.length === 0) return null;
  return (
    <Section title="Set aside">
      <div className="table-scroll" role="region" aria-label="What is set aside" tabIndex={0}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">For</th>
              <th scope="col">By, and why</th>
              <th scope="col">Until</th>
              <th scope="col">
                <span className="sr-only">Release</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  {plain(one.kind)} {one.name}
                </th>
                <td>{one.application ? <AssetLink asset={one.application} /> : 'everybody'}</td>
                <td>
                  {one.who}: {one.why}
                </td>
                <td className="nowrap">{day(one.until)}</td>
                <td>
                  <Button size="xs" variant="default" disabled={why.trim().length < 3} loading={free.isPending} onClick={() => free.mutate(one.id)} aria-label={`Release ${one.name}`}>
                    Release
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Textarea label="Why release it?" value={why} onChange={(e) => setWhy(e.currentTarget.value)} maxLength={2000} rows={1} className="narrow" />
      {free.error && <Failed error={free.error} />}
    </Section>
  );
}

function Answered({ rows }: { rows: ApprovalRow[] }) {
  const queries = useQueryClient();
  const back = useMutation({ mutationFn: (id: string) => answerApproval(id, { action: 'withdraw', why: '', minutes: null }), onSettled: () => queries.invalidateQueries() });
  return (
    <Section title="Answered">
      {back.error && <Failed error={back.error} />}
      <div className="table-scroll" role="region" aria-label="Answered requests" tabIndex={0}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Request</th>
              <th scope="col">For</th>
              <th scope="col">What became of it</th>
              <th scope="col">When</th>
              <th scope="col">
                <span className="sr-only">Undo</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, 100).map((one) => (
              <tr key={one.id}>
                <td className="break">{one.subject}</td>
                <td>
                  <AssetLink asset={one.about} />
                </td>
                <td className="break">
                  <span className={`state-${one.state}`}>{one.state}</span>
                  <span className="quiet small block">{one.outcome}</span>
                </td>
                <td className="nowrap quiet" title={one.decided_at ? moment(one.decided_at) : undefined}>
                  {ago(one.decided_at ?? one.answer_by)}
                </td>
                <td>
                  {one.state === 'granted' && one.kind === 'ask' && (
                    <Button size="xs" variant="default" loading={back.isPending} onClick={() => back.mutate(one.id)} aria-label={`Take back ${one.subject}`}>
                      Take back
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { markSeen, todayQuery } from '../api/client';
import type { SinceLastLook, Today as TodayShape } from '../api/shapes';
import { AssetLink, Empty, QuestionGroups, Section, Severity, Troubles } from '../parts/bits';
import { Page } from '../parts/Page';
import { RiskCard } from '../parts/RiskCard';
import { ago, count, kindNames, moment, plain } from '../parts/words';

export function Today() {
  const query = useQuery(todayQuery);
  return (
    <Page title="Today" query={query}>
      {(today) => (
        <>
          <header className="page-head">
            <h1>Today</h1>
            <p className="lead">
              <Kinds kinds={today.kinds} />
              {today.last_scan && (
                <span className="quiet" title={moment(today.last_scan)}>
                  {' '}
                  Last looked at {ago(today.last_scan, today.now)}.
                </span>
              )}
            </p>
          </header>
          <Troubles troubles={today.troubles} />
          {today.last_scan === null ? <FirstRun /> : <Board today={today} />}
        </>
      )}
    </Page>
  );
}

function FirstRun() {
  return (
    <Empty>
      <h2>Nothing has been looked at yet</h2>
      <p>Point Penstock at a source tree; what it finds shows here as soon as the scan is done.</p>
      <pre>penstock scan path/to/your/repository</pre>
    </Empty>
  );
}

function Board({ today }: { today: TodayShape }) {
  const more = Object.values(today.open_risks).reduce((a, b) => a + b, 0) - today.top.length;
  return (
    <div className="board">
      <div className="board-main">
        <Changes changes={today.changes} />
        <Section
          title="The risks that matter most"
          aside={
            more > 0 && (
              <Link to="/risks" className="small">
                {count(more, 'more risk')}
              </Link>
            )
          }
        >
          {today.top.length === 0 ? (
            <Empty>
              <p>
                No rule fired on what was seen. Before you trust that, see <Link to="/coverage">what could not be seen</Link>.
              </p>
            </Empty>
          ) : (
            <div className="cards">
              {today.top.map((risk) => (
                <RiskCard key={risk.id} risk={risk} />
              ))}
            </div>
          )}
        </Section>
      </div>
      <div className="board-side">
        <section className="panel blind" aria-labelledby="blind">
          <h2 id="blind">What we cannot see</h2>
          <p className="blind-number">{today.blind.failed.toLocaleString('en')}</p>
          <p className="quiet small">
            {today.blind.failed === 0 ? 'Everything that should be readable was read.' : `${today.blind.failed === 1 ? 'place' : 'places'} should have been readable and ${today.blind.failed === 1 ? 'was' : 'were'} not.`}
            {today.blind.skipped > 0 && ` ${today.blind.skipped} left out on purpose.`}
          </p>
          <Link to="/coverage" className="small">
            Open coverage
          </Link>
        </section>
        <section className="panel" aria-labelledby="cases">
          <div className="section-head">
            <h2 id="cases">Open cases</h2>
            <Link to="/cases" className="small" aria-label={`All ${today.case_count} open cases`}>
              {today.case_count}
            </Link>
          </div>
          {today.cases.length === 0 ? (
            <p className="quiet small">No case waits for anybody.</p>
          ) : (
            <ul className="plain">
              {today.cases.slice(0, 5).map((c) => (
                <li key={c.id} className="case-line">
                  <Severity level={c.severity} />
                  <Link to="/cases/$id" params={{ id: c.id }}>
                    {c.title}
                  </Link>
                  <span className="quiet small">
                    {c.about && `${c.about.name} · `}
                    {c.owner ? c.owner.name : 'nobody known to own it'}
                    {c.event_count > 0 && ` · ${count(c.event_count, 'event')}`}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </section>
        <section className="panel" aria-labelledby="questions">
          <div className="section-head">
            <h2 id="questions">Only a person can say</h2>
            <span className="quiet small">{today.question_count}</span>
          </div>
          {today.questions.length === 0 ? (
            <p className="quiet small">No open questions.</p>
          ) : (
            <>
              <QuestionGroups groups={today.questions} most={2} />
              <Link to="/coverage" hash="questions" className="small">
                Answer them
              </Link>
            </>
          )}
        </section>
      </div>
    </div>
  );
}

function Kinds({ kinds }: { kinds: Record<string, number> }) {
  const rows = Object.entries(kinds);
  if (rows.length === 0) return null;
  return (
    <>
      {rows.slice(0, 6).map(([kind, n], i) => (
        <span key={kind}>
          {i > 0 && ', '}
          <Link to="/inventory" search={{ kind: [kind] }} className="kind-count">
            <b>{n}</b> {kindNames(kind, n)}
          </Link>
        </span>
      ))}
      {rows.length > 6 && (
        <>
          {' '}
          and <Link to="/inventory">{count(rows.slice(6).reduce((sum, [, n]) => sum + n, 0), 'other thing')}</Link>
        </>
      )}
      .
    </>
  );
}

const SHOWN = 6;

function Changes({ changes }: { changes: SinceLastLook }) {
  const queries = useQueryClient();
  const seen = useMutation({ mutationFn: markSeen, onSuccess: () => queries.invalidateQueries({ queryKey: ['today'] }) });
  const first = changes.since === null;
  const total = changes.added + changes.removed + changes.changed;
  const parts = [
    changes.new_risks > 0 && count(changes.new_risks, 'new risk'),
    changes.added > 0 && count(changes.added, 'new asset'),
    changes.changed > 0 && `${changes.changed} changed`,
    changes.removed > 0 && `${changes.removed} gone`,
  ].filter(Boolean);
  return (
    <Section
      title="Since you last looked"
      aside={
        !first && (
          <span className="quiet small" title={moment(changes.since ?? 0)}>
            {ago(changes.since)}
            {parts.length > 0 && (
              <Button variant="subtle" size="compact-xs" loading={seen.isPending} onClick={() => seen.mutate()}>
                Mark as seen
              </Button>
            )}
          </span>
        )
      }
    >
      {first ? (
        <p className="quiet">This is your first look: {count(changes.added, 'asset')} and {count(changes.new_risks, 'open risk')} so far. From the next visit on, only what changed stands here.</p>
      ) : parts.length === 0 ? (
        <p className="quiet">Nothing changed.</p>
      ) : (
        <>
          <p className="changes-sum">{parts.join(', ')}</p>
          <ul className="plain changes">
            {changes.assets.slice(0, SHOWN).map((c) => (
              <li key={`${c.what} ${c.asset.id}`}>
                <span className={`change change-${c.what}`}>{c.what}</span>
                {c.what === 'gone' ? <span>{c.asset.name}</span> : <AssetLink asset={c.asset} withKind />}
                {c.fields.length > 0 && <span className="quiet small">{c.fields.map(plain).join(', ')}</span>}
              </li>
            ))}
          </ul>
          {total > SHOWN && (
            <Link to="/inventory" search={{ sort: 'last_seen' }} className="small">
              {count(total - Math.min(SHOWN, changes.assets.length), 'more change')}
            </Link>
          )}
        </>
      )}
    </Section>
  );
}

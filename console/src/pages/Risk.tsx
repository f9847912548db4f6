import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { findingQuery } from '../api/client';
import type { FindingPage, Hop } from '../api/shapes';
import { AssetLink, Confidence, EvidenceList, Exposure, Labels, OwnerName, Section, Severity, Waiting } from '../parts/bits';
import { Page } from '../parts/Page';
import { count, plain, say } from '../parts/words';

const Picture = lazy(() => import('../parts/PathPicture'));
const route = getRouteApi('/risks/$id');

export function RiskPage() {
  const { id } = route.useParams();
  const query = useQuery(findingQuery(id));
  return (
    <Page title={query.data?.risk.title ?? 'Risk'} query={query}>
      {(page) => <Risk key={id} page={page} />}
    </Page>
  );
}

function Risk({ page }: { page: FindingPage }) {
  const { risk } = page;
  const [step, setStep] = useState(Math.max(0, risk.path.findIndex((hop) => hop.cut)));
  return (
    <>
      <header className="page-head">
        <p className="crumbs">
          <Link to="/risks">Risks</Link>
        </p>
        <h1>{risk.title}</h1>
        <p className="facts-line">
          <Severity level={risk.severity} />
          <span title="Orders risks of one severity; the range is what unknown facts could change">
            score {say(Math.round(risk.score))}
            {risk.score_low !== risk.score_high && ` (${Math.round(risk.score_low)}–${Math.round(risk.score_high)})`}
          </span>
          <span>{risk.rule}</span>
          <span>
            owner: <OwnerName owner={risk.owner} why />
          </span>
          {risk.case && (
            <Link to="/cases/$id" params={{ id: risk.case }}>
              {risk.state === 'open' ? 'open case' : `case ${risk.state}`}
            </Link>
          )}
        </p>
        <p className="lead">{risk.explanation}</p>
      </header>

      {risk.path.length > 0 && (
        <Section title="Path" aside={<span className="quiet small">{count(risk.path.length, 'step')}{page.entry && ` · starts from ${plain(page.entry)}`}</span>}>
          <Suspense fallback={<div className="picture"><Waiting /></div>}>
            <Picture path={risk.path} chosen={step} onChoose={setStep} />
          </Suspense>
          <Steps path={risk.path} chosen={step} onChoose={setStep} />
        </Section>
      )}

      <div className="two">
        <Section title="What to do">
          <p className="fix">{risk.fix}</p>
          {risk.fix_at && (
            <p>
              Change <AssetLink asset={risk.fix_at} withKind />
            </p>
          )}
          {page.cuts.length > 1 && (
            <p className="quiet small">
              Also possible, by how many paths run through: {page.cuts.slice(1).map((cut, i) => (
                <span key={cut.id}>
                  {i > 0 && ', '}
                  {cut.name}
                </span>
              ))}
            </p>
          )}
          <p className="quiet small">
            <Link to="/assets/$id" params={{ id: risk.subject.id }}>
              Open {risk.subject.name}
            </Link>
            {risk.case && (
              <>
                {' · '}
                <Link to="/cases/$id" params={{ id: risk.case }}>
                  accept, snooze or resolve its case
                </Link>
              </>
            )}
          </p>
        </Section>
        {page.terms.length > 0 && (
          <Section title="Why this score">
            <table className="table terms">
              <thead>
                <tr>
                  <th scope="col">Term</th>
                  <th scope="col">Value</th>
                  <th scope="col">Because</th>
                </tr>
              </thead>
              <tbody>
                {page.terms.map((term) => (
                  <tr key={term.name}>
                    <th scope="row">{plain(term.name)}</th>
                    <td>{say(term.value)}</td>
                    <td>{term.why}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Section>
        )}
      </div>

      {page.rule && (
        <Section title={`Rule ${page.rule.id}: ${page.rule.name || page.rule.title}`}>
          <p>{page.rule.why}</p>
          {page.rule.does_not_mean && <p className="quiet small">{page.rule.does_not_mean}</p>}
          <dl className="rule">
            <dt>Looks for</dt>
            <dd>
              {page.rule.match.map((line) => (
                <code key={line} className="query">
                  {line}
                </code>
              ))}
            </dd>
            {page.rule.absent.length > 0 && (
              <>
                <dt>And no</dt>
                <dd>
                  {page.rule.absent.map((line) => (
                    <code key={line} className="query">
                      {line}
                    </code>
                  ))}
                </dd>
              </>
            )}
            {page.rule.when && (
              <>
                <dt>When</dt>
                <dd>
                  <code className="query">{page.rule.when}</code>
                </dd>
              </>
            )}
            {page.rule.unless && (
              <>
                <dt>Unless</dt>
                <dd>
                  <code className="query">{page.rule.unless}</code>
                </dd>
              </>
            )}
          </dl>
          {page.tags.length > 0 && (
            <ul className="plain tags">
              {page.tags.map((tag) => (
                <li key={tag.framework + tag.id}>
                  <span className="tag">
                    {tag.framework} {tag.id}
                  </span>{' '}
                  <span className="quiet small">{tag.why}</span>
                </li>
              ))}
            </ul>
          )}
        </Section>
      )}
    </>
  );
}

/** The same path as a table: everything the picture shows, and the evidence of each step. */
function Steps({ path, chosen, onChoose }: { path: Hop[]; chosen: number; onChoose: (step: number) => void }) {
  return (
    <div className="table-scroll" role="region" aria-label="Steps of the path" tabIndex={0}>
      <table className="table steps">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Asset</th>
            <th scope="col">Faces</th>
            <th scope="col">Holds</th>
            <th scope="col">Evidence</th>
          </tr>
        </thead>
        <tbody>
          {path.map((hop, i) => (
            <StepRow key={i} hop={hop} i={i} before={path[i - 1]} open={i === chosen} onOpen={() => onChoose(i === chosen ? -1 : i)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function StepRow({ hop, i, before, open, onOpen }: { hop: Hop; i: number; before?: Hop; open: boolean; onOpen: () => void }) {
  const detail = `step-${i}-evidence`;
  return (
    <>
      <tr className={open ? 'step-open' : undefined}>
        <td className="step-verb">
          {i === 0 ? (
            'starts at'
          ) : hop.forward ? (
            <>{plain(hop.verb)} →</>
          ) : (
            <>← {plain(hop.verb)}</>
          )}
        </td>
        <td>
          <AssetLink asset={hop.asset} withKind />
          {hop.cut && <span className="cut-word">change here</span>}
        </td>
        <td>{hop.exposure ? <Exposure word={hop.exposure} /> : <span className="quiet">–</span>}</td>
        <td>{hop.labels.length > 0 ? <Labels labels={hop.labels} /> : <span className="quiet">–</span>}</td>
        <td>
          <button type="button" className="link-button" aria-expanded={open} aria-controls={detail} onClick={onOpen}>
            {count(hop.evidence.length, 'place')} <span className="sr-only">for {hop.asset.name}</span>
          </button>{' '}
          {hop.evidence[0] && <Confidence word={hop.evidence[0].confidence} />}
        </td>
      </tr>
      <tr id={detail} hidden={!open} className="step-detail">
        <td colSpan={5}>
          {before && (
            <p className="small">
              {hop.forward ? before.asset.name : hop.asset.name} <b>{plain(hop.verb)}</b> {hop.forward ? hop.asset.name : before.asset.name}
            </p>
          )}
          <EvidenceList evidence={hop.evidence} />
        </td>
      </tr>
    </>
  );
}

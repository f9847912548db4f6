import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { assetQuery } from '../api/client';
import type { AnswerShape, AssetPage, LabelShape, Neighbour, Property, Ref } from '../api/shapes';
import { Asked } from '../parts/Asked';
import { AssetLink, Confidence, Disclosure, Empty, Evidence, EvidenceList, Exposure, Labels, OwnerName, PathStrip, Section, Severity } from '../parts/bits';
import { CorrectForm } from '../parts/CorrectForm';
import { KindIcon } from '../parts/icons';
import { Page } from '../parts/Page';
import { Traffic } from '../parts/Traffic';
import { ago, count, day, kindName, labelName, moment, plain, say, scopeName } from '../parts/words';

const route = getRouteApi('/assets/$id');

/** Question → what a person can say that changes its answer. */
const CORRECTS: Record<string, string[]> = {
  impact: ['process', 'records', 'effects', 'human_review'],
  threats: ['exposure', 'auth', 'sandbox', 'approval', 'rate_limit'],
  sensitive_data: ['declared_data'],
  audience: ['audience', 'exposure'],
  used_for: ['purpose'],
  processes: ['process'],
};

/** Kinds that have a place on the data map: they hold data or pass it on. */
const HOLDERS = new Set([
  'dataset', 'data_store', 'content_source', 'pipeline', 'vector_store', 'knowledge_base', 'tool', 'mcp_server', 'model', 'endpoint', 'agent',
  'application', 'assistant', 'workspace', 'skill', 'log_store', 'memory', 'provider',
]);

/** Kinds that can hold a key of the gateway. */
const CALLERS = new Set(['application', 'agent', 'assistant', 'workspace', 'pipeline']);

export function AssetView() {
  const { id } = route.useParams();
  const query = useQuery(assetQuery(id));
  return (
    <Page title={query.data?.asset.name ?? 'Asset'} query={query}>
      {(page) => <AssetBody key={id} page={page} />}
    </Page>
  );
}

function AssetBody({ page }: { page: AssetPage }) {
  const { asset } = page;
  return (
    <>
      <header className="page-head">
        <p className="crumbs">
          <Link to="/inventory">Inventory</Link> <span aria-hidden="true">/</span>{' '}
          <Link to="/inventory" search={{ kind: [asset.kind] }}>
            {kindName(asset.kind)}
          </Link>
        </p>
        <h1 className="asset-title">
          <KindIcon kind={asset.kind} />
          {asset.name}
        </h1>
        <p className="facts-line">
          <span>{asset.scope ? scopeName(asset.scope) : 'shared by all sources'}</span>
          {asset.status !== 'used' && <span className="tag">{plain(asset.status)}</span>}
          {asset.lifecycle !== 'current' && <span className="tag">{asset.lifecycle}</span>}
          <span title={moment(asset.last_seen)}>seen {ago(asset.last_seen)}</span>
          {page.first_seen > 0 && <span>since {day(page.first_seen)}</span>}
        </p>
      </header>

      <Section title={page.answers.length ? 'Six questions' : 'At a glance'}>
        <div className="answers">
          {page.answers.map((answer) => (
            <Line key={answer.key} title={answer.question} asset={asset} about={CORRECTS[answer.key] ?? []}>
              <AnswerText answer={answer} />
            </Line>
          ))}
          {page.answers.length === 0 && (
            <>
              <Line title="Which data does it hold?" asset={asset} about={['declared_data']}>
                {asset.contains.length + asset.sees.length ? (
                  <>
                    <Labels labels={asset.contains} /> <Labels labels={asset.sees} how="sees" />
                  </>
                ) : (
                  <span className="quiet">None known</span>
                )}
              </Line>
              <Line title="Who can reach it?" asset={asset} about={['exposure', 'auth']}>
                <Exposure word={asset.exposure} />
              </Line>
              <Line title="What is it used for?" asset={asset} about={['purpose']}>
                {asset.used_for || <span className="quiet">Not known</span>}
              </Line>
              <Line title="Which systems rely on it?">
                {page.systems.length ? (
                  <span className="links">
                    {page.systems.map((system) => (
                      <AssetLink key={system.id} asset={system} />
                    ))}
                  </span>
                ) : (
                  <span className="quiet">None known</span>
                )}
              </Line>
            </>
          )}
          <Line title="Who owns it?" asset={asset} about={['owner']}>
            <OwnerName owner={asset.owner} why />
            {asset.owner.conflicts.map((other) => (
              <div key={other} className="warn small">
                but {other}
              </div>
            ))}
          </Line>
          <Line title="Who approves, who is affected?">
            <span>
              {page.people.approver ? `${page.people.approver} approves` : <span className="quiet">No approver known</span>}
              {page.people.affected.length > 0 && `; affects ${say(page.people.affected.slice(0, 6))}${page.people.affected.length > 6 ? ` and ${page.people.affected.length - 6} more` : ''}`}
              {page.people.informed.length > 0 && `; ${say(page.people.informed)} must know`}
            </span>
          </Line>
        </div>
        {page.questions.length > 0 && (
          <div className="asks">
            <h3>Only a person can say</h3>
            <ul className="plain">
              {page.questions.map((q, i) => (
                <li key={i}>
                  <Asked question={q} />
                </li>
              ))}
            </ul>
          </div>
        )}
      </Section>

      <Section title="Risks" aside={page.risks.length > 0 && <span className="quiet small">{page.risks.length}</span>}>
        {page.risks.length === 0 ? (
          <p className="quiet">No known risk runs through it.</p>
        ) : (
          <ul className="plain lines">
            {page.risks.map((risk) => (
              <li key={risk.id}>
                <Severity level={risk.severity} />
                <span>
                  <Link to="/risks/$id" params={{ id: risk.id }}>
                    {risk.title}
                  </Link>
                  <span className="quiet small block">{risk.explanation}</span>
                </span>
                <span className="quiet small">{risk.rule}</span>
              </li>
            ))}
          </ul>
        )}
      </Section>

      <Section
        title="Data, and why we say so"
        aside={
          HOLDERS.has(asset.kind) && (
            <Link to="/data" search={{ asset: asset.id }} className="small">
              On the data map
            </Link>
          )
        }
      >
        {page.labels.length === 0 ? (
          <p className="quiet">No data category is known for it. That is not the same as none.</p>
        ) : (
          <ul className="plain proofs">
            {page.labels.map((label) => (
              <Proof key={`${label.how} ${label.label}`} label={label} />
            ))}
          </ul>
        )}
        {page.notes.map((note) => (
          <p key={note} className="warn small">
            {note}
          </p>
        ))}
      </Section>

      <div className="two">
        <Section title="Relations" aside={<span className="quiet small">{count(page.neighbours.length + page.neighbours_left_out, 'relation')}</span>}>
          <Relations name={asset.name} neighbours={page.neighbours} leftOut={page.neighbours_left_out} />
        </Section>
        <Section title="What is known about it">
          {page.properties.length === 0 ? (
            <p className="quiet">Only that it exists.</p>
          ) : (
            <dl className="props">
              {page.properties.map((property) => (
                <PropertyLine key={property.name} property={property} />
              ))}
            </dl>
          )}
          <CorrectAny asset={asset} />
          <Disclosure label={<span>Where it was seen ({page.evidence.length})</span>}>
            <EvidenceList evidence={page.evidence} />
          </Disclosure>
        </Section>
      </div>

      <div className="two">
        {(CALLERS.has(asset.kind) || page.traffic.length > 0) && (
          <Section title="Traffic">
            <Traffic events={page.traffic} />
          </Section>
        )}
        <Section title="History">
          <ol className="plain history">
            {page.history.map((version) => (
              <li key={version.valid_from}>
                <span className="quiet nowrap">{moment(version.valid_from)}</span>
                <span>{version.fields.length ? `${say(version.fields.map(plain))} changed` : 'first seen'}</span>
              </li>
            ))}
          </ol>
        </Section>
      </div>
    </>
  );
}

function Line({ title, asset, about = [], children }: { title: string; asset?: Ref; about?: string[]; children: ReactNode }) {
  const [correcting, setCorrecting] = useState(false);
  return (
    <div className="answer">
      <h3>{title}</h3>
      <div className="answer-body">{children}</div>
      <div className="answer-act">
        {asset && about.length > 0 && (
          <button type="button" className="link-button small" aria-expanded={correcting} aria-label={`Correct this: ${title}`} onClick={() => setCorrecting(!correcting)}>
            Correct this
          </button>
        )}
      </div>
      {correcting && asset && (
        <div className="answer-form">
          <CorrectForm asset={asset.id} name={asset.name} about={about} onDone={() => setCorrecting(false)} />
        </div>
      )}
    </div>
  );
}

function AnswerText({ answer }: { answer: AnswerShape }) {
  const value = say(answer.value);
  return (
    <>
      <p>
        {value ? <AnswerValue answer={answer} /> : <span className="quiet">Nobody knows yet</span>} {value && <Confidence word={answer.confidence} />}
      </p>
      {answer.because && answer.because !== value && <p className="quiet small">{answer.because}</p>}
      <Evidence evidence={answer.evidence} />
    </>
  );
}

const IMPACT = ['', 'Slight', 'Noticeable', 'Serious', 'Severe'];

function AnswerValue({ answer }: { answer: AnswerShape }) {
  if (answer.key === 'sensitive_data' && Array.isArray(answer.value)) return <Labels labels={answer.value.map(String)} />;
  if (answer.key === 'impact' && typeof answer.value === 'number')
    return (
      <span className="answer-value">
        {IMPACT[answer.value] ?? ''} <span className="quiet">({answer.value} of 4)</span>
      </span>
    );
  return <span className="answer-value">{say(answer.value)}</span>;
}

function Proof({ label }: { label: LabelShape }) {
  const own = label.proof.length <= 1;
  return (
    <li>
      <Labels labels={[label.label]} how={label.how === 'sees' ? 'sees' : 'contains'} />
      <div className="proof-why">
        <p>
          {own ? 'Seen in it directly.' : label.how === 'sees' ? `It may read ${labelName(label.label)} ${count(label.proof.length - 1, 'step')} away.` : `It holds ${labelName(label.label)} because of ${count(label.proof.length - 1, 'step')} from where that was seen.`}
          {label.leakage && <span className="quiet"> Can be got out: {plain(label.leakage)}.</span>}
        </p>
        {!own && <PathStrip path={label.proof} />}
        <Disclosure label="Evidence of each step">
          <ol className="plain">
            {label.proof.map((hop, i) => (
              <li key={i} className="proof-step">
                <p>
                  {i > 0 && <b>{hop.forward ? plain(hop.verb) : `is what is behind “${plain(hop.verb)}” of`} </b>}
                  <AssetLink asset={hop.asset} withKind />
                </p>
                <EvidenceList evidence={hop.evidence} />
              </li>
            ))}
          </ol>
        </Disclosure>
      </div>
    </li>
  );
}

function Relations({ name, neighbours, leftOut }: { name: string; neighbours: Neighbour[]; leftOut: number }) {
  if (neighbours.length === 0) return <Empty>Nothing is related to it yet.</Empty>;
  const groups = new Map<string, Neighbour[]>();
  for (const n of neighbours) {
    const key = `${n.outward} ${n.verb}`;
    groups.set(key, [...(groups.get(key) ?? []), n]);
  }
  return (
    <>
      {[...groups.values()].map((group) => {
        const first = group[0];
        if (!first) return null;
        return (
          <div key={`${first.outward} ${first.verb}`} className="relation">
            <h3>
              {first.outward ? (
                <>
                  {plain(first.verb)} <span aria-hidden="true">→</span>
                </>
              ) : (
                <>
                  <span aria-hidden="true">←</span> {plain(first.verb)} <span className="quiet">{name}</span>
                </>
              )}
            </h3>
            <ul className="plain">
              {group.map((n) => (
                <li key={n.asset.id}>
                  <AssetLink asset={n.asset} withKind />
                  <Disclosure className="inline" label={<span className="sr-only">Evidence for {n.asset.name}</span>}>
                    <EvidenceList evidence={n.evidence} />
                  </Disclosure>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
      {leftOut > 0 && <p className="quiet small">{count(leftOut, 'more relation')} not shown.</p>}
    </>
  );
}

function PropertyLine({ property }: { property: Property }) {
  return (
    <>
      <dt>{plain(property.name)}</dt>
      <dd>
        <span>{say(property.value)}</span>
        {property.conflict && <span className="warn small"> · sources disagree</span>}
        {property.claims.length > 0 && (
          <Disclosure className="inline" label={<span className="sr-only">Evidence for {plain(property.name)}</span>}>
            {property.claims.map((claim, i) => (
              <div key={i}>
                {property.conflict && <p className="small">says {say(claim.value)}</p>}
                <EvidenceList evidence={[claim.evidence]} />
              </div>
            ))}
          </Disclosure>
        )}
      </dd>
    </>
  );
}

function CorrectAny({ asset }: { asset: Ref }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="correct-any">
      <button type="button" className="link-button small" aria-expanded={open} onClick={() => setOpen(!open)}>
        Add or correct a fact
      </button>
      {open && <CorrectForm asset={asset.id} name={asset.name} about={[]} onDone={() => setOpen(false)} />}
    </div>
  );
}

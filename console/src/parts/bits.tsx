import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useId, useState } from 'react';
import { Refused } from '../api/client';
import type { EvidenceShape, Hop, Owner, Problem, QuestionGroup, QuestionShape, Ref, Trouble } from '../api/shapes';
import { Chevron, KindIcon } from './icons';
import { ago, count, exposureName, kindName, labelName, moment, plain, scopeName } from './words';

export function Severity({ level }: { level: string }) {
  if (!level) return <span className="quiet">none known</span>;
  return (
    <span className={`severity severity-${level}`}>
      <span className="severity-dot" aria-hidden="true" />
      {level}
    </span>
  );
}

export function AssetLink({ asset, withKind = false }: { asset: Ref; withKind?: boolean }) {
  if (!asset.kind) return <span>{asset.name}</span>;
  return (
    <Link to="/assets/$id" params={{ id: asset.id }} className="asset-link">
      <KindIcon kind={asset.kind} />
      <span className="asset-name">{asset.name}</span>
      {withKind && <span className="quiet nowrap">{kindName(asset.kind)}</span>}
    </Link>
  );
}

export function Labels({ labels, how = 'contains' }: { labels: string[]; how?: 'contains' | 'sees' }) {
  return (
    <span className="labels">
      {labels.map((label) => (
        <span key={label} className={`label label-${how}`}>
          {how === 'sees' && <span className="label-how">sees </span>}
          {labelName(label)}
        </span>
      ))}
    </span>
  );
}

export function Exposure({ word }: { word: string }) {
  if (!word) return <span className="quiet">unknown</span>;
  return <span className={word === 'internet' ? 'exposure exposure-internet' : 'exposure'}>{exposureName(word)}</span>;
}

export function OwnerName({ owner, why = false }: { owner: Owner; why?: boolean }) {
  if (!owner.asset && !owner.name) return <span className="quiet">nobody known</span>;
  return (
    <span title={owner.why}>
      {owner.name}
      {owner.conflicts.length > 0 && <span className="warn"> · disputed</span>}
      {why && owner.why && <span className="quiet"> · {owner.why}</span>}
    </span>
  );
}

/** A cell with nothing in it, said in full to whoever cannot see that it is a dash or hovers over it. */
export function Nothing({ says }: { says: string }) {
  return (
    <span className="quiet" title={says}>
      <span aria-hidden="true">–</span>
      <span className="sr-only">{says}</span>
    </span>
  );
}

/** Each step a box, each arrow a verb: the whole path in a line. */
export function PathStrip({ path }: { path: Hop[] }) {
  if (path.length === 0) return null;
  return (
    <ol className="strip" aria-label="Path">
      {path.map((hop, i) => (
        <li key={`${i} ${hop.asset.id}`} className={hop.cut ? 'strip-cut' : undefined}>
          {i > 0 && (
            <span className="strip-verb">
              {!hop.forward && <span aria-hidden="true">← </span>}
              <span className="sr-only">{hop.forward ? '' : 'reached by '}</span>
              {plain(hop.verb)}
              {hop.forward && <span aria-hidden="true"> →</span>}
            </span>
          )}
          <span className="strip-asset">
            <KindIcon kind={hop.asset.kind} />
            {hop.asset.name}
            {hop.cut && <span className="sr-only"> (change here)</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** A button that opens what stands behind a claim, below it. */
export function Disclosure({
  label,
  children,
  open: initially = false,
  className = '',
}: {
  label: ReactNode;
  children: ReactNode;
  open?: boolean;
  className?: string;
}) {
  const [open, setOpen] = useState(initially);
  const id = useId();
  return (
    <div className={`disclosure ${className}`}>
      <button type="button" className="disclosure-button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        <Chevron />
        {label}
      </button>
      <div id={id} hidden={!open} className="disclosure-body">
        {open && children}
      </div>
    </div>
  );
}

const SURE: Record<string, string> = {
  declared: 'declared by a person or team',
  resolved: 'read exactly where it stands',
  inferred: 'concluded from what was read',
  guessed: 'a guess: please confirm',
};

export function Confidence({ word }: { word: string }) {
  return (
    <span className={`confidence confidence-${word}`} title={SURE[word]}>
      {word}
    </span>
  );
}

/** Pieces of evidence shown before a reader asks for the rest; the strongest come first. */
const PIECES = 5;

export function EvidenceList({ evidence }: { evidence: EvidenceShape[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? evidence : evidence.slice(0, PIECES);
  if (evidence.length === 0) return <p className="quiet">No evidence is kept for this; it follows from the rest of the page.</p>;
  return (
    <ul className="evidence">
      {shown.map((e, i) => (
        <li key={i}>
          <div className="evidence-where">
            <code>{e.where}</code>
            <Confidence word={e.confidence} />
          </div>
          {e.chain.length > 0 && (
            <ol className="evidence-chain">
              {e.chain.map((step, j) => (
                <li key={j}>{step}</li>
              ))}
            </ol>
          )}
          <div className="quiet small">
            {e.collector.startsWith('person:') ? `said by ${e.collector.slice(7)}` : `found by ${e.collector}`}
            {e.scope && ` in ${scopeName(e.scope)}`}
            {e.seen_at > 0 && <span title={moment(e.seen_at)}> · {ago(e.seen_at)}</span>}
            {e.until && ` · holds until ${moment(e.until)}`}
          </div>
        </li>
      ))}
      {shown.length < evidence.length && (
        <li className="evidence-more">
          <button type="button" className="link-button small" onClick={() => setAll(true)}>
            {count(evidence.length - shown.length, 'more place')}
          </button>
        </li>
      )}
    </ul>
  );
}

export function Evidence({ evidence, label = 'evidence' }: { evidence: EvidenceShape[]; label?: string }) {
  if (evidence.length === 0) return null;
  return (
    <Disclosure label={<span>{label === 'evidence' ? count(evidence.length, 'piece of evidence', 'pieces of evidence') : label}</span>}>
      <EvidenceList evidence={evidence} />
    </Disclosure>
  );
}

export function Section({ title, aside, children, id }: { title: ReactNode; aside?: ReactNode; children: ReactNode; id?: string }) {
  const heading = useId();
  return (
    <section className="section" aria-labelledby={heading} id={id}>
      <div className="section-head">
        <h2 id={heading}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Nothing here, and what to do about it. */
export function Empty({ children }: { children: ReactNode }) {
  return <div className="empty">{children}</div>;
}

export function Failed({ error }: { error: unknown }) {
  const problem: Problem =
    error instanceof Refused
      ? error.problem
      : { message: 'This page could not be shown', where: null, hint: error instanceof Error ? error.message : null, details: null };
  return (
    <div className="failed" role="alert">
      <p className="failed-what">{problem.message}</p>
      {problem.where && (
        <p>
          <code>{problem.where}</code>
        </p>
      )}
      {problem.hint && <p>{problem.hint}</p>}
    </div>
  );
}

export function Troubles({ troubles }: { troubles: Trouble[] }) {
  if (troubles.length === 0) return null;
  return (
    <div className="failed" role="alert">
      {troubles.map((t) => (
        <div key={t.what}>
          <p className="failed-what">
            Penstock could not {t.what}
            {t.times > 1 && ` (${t.times} times since ${moment(t.since)})`}
          </p>
          <pre>{t.why}</pre>
        </div>
      ))}
    </div>
  );
}

export function Waiting() {
  return (
    <p className="quiet waiting" role="status">
      Reading…
    </p>
  );
}

/** The question without the name it begins with, which stands before it as a link. */
export function asked({ asset, about }: QuestionShape): string {
  const start = `${asset.name}: `;
  const rest = about.startsWith(start) ? about.slice(start.length) : about;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** Questions by asset, the first few of each; `line` says one. */
export function QuestionGroups({ groups, most, line }: { groups: QuestionGroup[]; most: number; line?: (question: QuestionShape) => ReactNode }) {
  return (
    <ul className="plain">
      {groups.map((group) => (
        <QuestionsOf key={group.asset.id} group={group} most={most} line={line ?? asked} />
      ))}
    </ul>
  );
}

function QuestionsOf({ group, most, line }: { group: QuestionGroup; most: number; line: (question: QuestionShape) => ReactNode }) {
  const [all, setAll] = useState(false);
  const left = group.questions.length - most;
  return (
    <li className="question">
      <AssetLink asset={group.asset} withKind />
      <ul className="plain">
        {(all ? group.questions : group.questions.slice(0, most)).map((question) => (
          <li key={question.about}>{line(question)}</li>
        ))}
      </ul>
      {left > 0 && !all && (
        <button type="button" className="link-button small" onClick={() => setAll(true)}>
          {count(left, 'more question')} <span className="sr-only">about {group.asset.name}</span>
        </button>
      )}
    </li>
  );
}

/** Asks for the next page of a list that grows. */
export function More({ shown, total, what, busy, onMore }: { shown: number; total: number; what: string; busy: boolean; onMore: () => void }) {
  if (shown >= total) return null;
  return (
    <div className="pager">
      <Button variant="default" size="xs" loading={busy} onClick={onMore}>
        Show more
      </Button>
      <span className="quiet small">
        {shown.toLocaleString('en')} of {count(total, what)}
      </span>
    </div>
  );
}

import { Link } from '@tanstack/react-router';
import type { Risk } from '../api/shapes';
import { OwnerName, PathStrip, Severity } from './bits';
import { ago } from './words';

export function RiskCard({ risk, level = 3 }: { risk: Risk; level?: 2 | 3 }) {
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <article className="risk">
      <div className="risk-top">
        <Severity level={risk.severity} />
        <span className="quiet small">{risk.rule}</span>
        {risk.state !== 'open' && <span className="tag">{risk.state}</span>}
        <span className="quiet small push">{risk.first_seen ? `open ${ago(risk.first_seen)}` : ''}</span>
      </div>
      <Heading className="risk-title">
        <Link to="/risks/$id" params={{ id: risk.id }}>
          {risk.title}
        </Link>
      </Heading>
      <p className="risk-why">{risk.explanation}</p>
      {risk.path.length > 1 && <PathStrip path={risk.path} />}
      <dl className="risk-facts">
        <div>
          <dt>Fix</dt>
          <dd>{risk.fix}</dd>
        </div>
        <div>
          <dt>Owner</dt>
          <dd>
            <OwnerName owner={risk.owner} />
          </dd>
        </div>
      </dl>
    </article>
  );
}

import { Link } from '@tanstack/react-router';
import type { EventRow } from '../api/shapes';
import { ago, DID, labelName, moment, say } from './words';

/** Calls that went through the gateway; texts are never kept, only what was seen in them. */
export function Traffic({ events }: { events: EventRow[] }) {
  if (events.length === 0)
    return <p className="quiet">No call of it went through the gateway yet. Give it a key with penstock keys, and its calls show here.</p>;
  return (
    <div className="table-scroll" role="region" aria-label="Calls" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Model</th>
            <th scope="col">Decision</th>
            <th scope="col">Seen</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id}>
              <td className="nowrap" title={moment(event.at)}>
                <Link to="/live/$id" params={{ id: event.id }} search={{ hours: '720' }}>
                  {ago(event.at)}
                </Link>
              </td>
              <td>{[event.provider, event.model].filter(Boolean).join(' / ') || event.kind}</td>
              <td>
                <span className={`verdict verdict-${event.verdict}`}>{DID[event.verdict] ?? event.verdict}</span>
              </td>
              <td>{say(Object.entries(event.seen).map(([what, n]) => `${n} × ${seen(what)}`)) || <span className="quiet">nothing</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function seen(what: string): string {
  const [direction, category] = what.split('.', 2);
  return `${labelName(category ?? what)} ${direction === 'out' ? 'in the answer' : direction === 'in' ? 'in the prompt' : ''}`.trim();
}

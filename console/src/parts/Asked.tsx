import { useState } from 'react';
import type { QuestionShape } from '../api/shapes';
import { asked } from './bits';
import { CorrectForm } from './CorrectForm';

/** An open question with the form that answers it. */
export function Asked({ question }: { question: QuestionShape }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      {asked(question)}{' '}
      {question.answers && (
        <button type="button" className="link-button small" aria-expanded={open} aria-label={`Answer: ${asked(question)}`} onClick={() => setOpen(!open)}>
          Answer
        </button>
      )}
      {open && <CorrectForm asset={question.asset.id} name={question.asset.name} about={[question.answers]} onDone={() => setOpen(false)} />}
    </>
  );
}

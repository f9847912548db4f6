import { Button, Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { correct, correctableQuery } from '../api/client';
import type { Correctable } from '../api/shapes';
import { Failed, Waiting } from './bits';
import { exposureName, labelName, plain } from './words';

const DAYS = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '180', label: 'half a year' },
  { value: '365', label: 'a year' },
];

/** A person's word about an asset; `about` narrows what is offered to what answers the question at hand. */
export function CorrectForm({ asset, name, about, onDone }: { asset: string; name: string; about: string[]; onDone: () => void }) {
  const known = useQuery(correctableQuery);
  if (known.error) return <Failed error={known.error} />;
  if (!known.data) return <Waiting />;
  const options = about.length
    ? about.flatMap((name) => known.data.correctable.filter((row) => row.about === name))
    : known.data.correctable;
  const named = options.map((row) => ({ ...row, question: row.question.replaceAll('{asset}', name) }));
  return <Form asset={asset} options={named} onDone={onDone} />;
}

function Form({ asset, options, onDone }: { asset: string; options: Correctable[]; onDone: () => void }) {
  const queries = useQueryClient();
  const [about, setAbout] = useState(options[0]?.about ?? '');
  const chosen = options.find((row) => row.about === about) ?? options[0];
  const [value, setValue] = useState<unknown>('');
  const [why, setWhy] = useState('');
  const [days, setDays] = useState('365');
  const save = useMutation({
    mutationFn: () => correct(asset, { about: chosen?.about ?? '', value, why, days: Number(days) }),
    onSuccess: async () => {
      await queries.invalidateQueries();
      onDone();
    },
  });
  if (!chosen) return null;
  return (
    <form
      className="correct"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {options.length > 1 && (
        <NativeSelect
          label="What is it about?"
          value={chosen.about}
          data={options.map((row) => ({ value: row.about, label: `${plain(row.about)}: ${row.meaning}` }))}
          onChange={(e) => {
            setAbout(e.currentTarget.value);
            setValue('');
          }}
        />
      )}
      <Value row={chosen} value={value} onChange={setValue} />
      <Textarea label="How do you know?" description="Shown beside it, with your name" value={why} onChange={(e) => setWhy(e.currentTarget.value)} required minLength={3} maxLength={2000} rows={2} />
      <NativeSelect label="Ask again after" value={days} data={DAYS} onChange={(e) => setDays(e.currentTarget.value)} />
      <div className="buttons">
        <Button type="submit" size="sm" loading={save.isPending} disabled={value === '' || why.trim().length < 3}>
          Save as my word
        </Button>
        <Button type="button" size="sm" variant="subtle" onClick={onDone}>
          Cancel
        </Button>
      </div>
      {save.error && <Failed error={save.error} />}
    </form>
  );
}

function Value({ row, value, onChange }: { row: Correctable; value: unknown; onChange: (value: unknown) => void }) {
  const label = row.question || row.meaning.charAt(0).toUpperCase() + row.meaning.slice(1);
  if (row.type === 'word')
    return (
      <NativeSelect label={label} value={String(value)} required onChange={(e) => onChange(e.currentTarget.value)} data={[{ value: '', label: 'Choose…' }, ...row.words.map((word) => ({ value: word, label: exposureName(word) }))]} />
    );
  if (row.type === 'flag')
    return (
      <NativeSelect label={label} value={value === '' ? '' : value ? 'yes' : 'no'} required onChange={(e) => onChange(e.currentTarget.value === '' ? '' : e.currentTarget.value === 'yes')} data={[{ value: '', label: 'Choose…' }, 'yes', 'no']} />
    );
  if (row.type === 'number')
    return <TextInput label={label} type="number" required value={String(value)} onChange={(e) => onChange(e.currentTarget.value === '' ? '' : Number(e.currentTarget.value))} />;
  if (row.type === 'words') {
    const chosen = Array.isArray(value) ? (value as string[]) : [];
    const set = (next: string[]) => onChange(next.length ? next : '');
    if (row.words.length === 0) return <TextInput label={label} description="Separated by commas" value={chosen.join(', ')} onChange={(e) => set(e.currentTarget.value.split(/,\s*/))} />;
    return (
      <fieldset className="choices">
        <legend>{label}</legend>
        {row.words.map((word) => (
          <Checkbox key={word} label={labelName(word)} checked={chosen.includes(word)} onChange={(e) => set(e.currentTarget.checked ? [...chosen, word] : chosen.filter((w) => w !== word))} />
        ))}
      </fieldset>
    );
  }
  return <TextInput label={label} required value={String(value)} maxLength={2000} onChange={(e) => onChange(e.currentTarget.value)} />;
}

import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { signIn } from '../api/client';
import { Failed } from '../parts/bits';
import { Mark } from '../parts/icons';

export function SignInPage({ asks }: { asks: string }) {
  const queries = useQueryClient();
  const [token, setToken] = useState('');
  const [name, setName] = useState('');
  const enter = useMutation({ mutationFn: signIn, onSuccess: () => queries.resetQueries() });
  useEffect(() => {
    document.title = 'Sign in · Penstock';
  }, []);
  return (
    <main className="alone">
      <div className="brand">
        <Mark />
        <h1>Penstock</h1>
      </div>
      {asks === 'oidc' ? (
        <p>This server accepts bearer tokens of your organisation’s identity provider. Open it through the proxy that adds them.</p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            enter.mutate({ token, name });
          }}
        >
          <TextInput label="Your name" description="Written beside what you decide" value={name} onChange={(e) => setName(e.currentTarget.value)} required autoComplete="name" />
          <PasswordInput label="Token" description="Whoever runs this server made it" value={token} onChange={(e) => setToken(e.currentTarget.value)} required autoComplete="current-password" />
          <Button type="submit" loading={enter.isPending}>
            Sign in
          </Button>
          {enter.error && <Failed error={enter.error} />}
        </form>
      )}
    </main>
  );
}

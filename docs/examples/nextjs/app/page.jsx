import { Polyseek } from 'polyseek-client';

const { POLYSEEK_URL = 'http://localhost:8787', POLYSEEK_API_KEY } = process.env;
const polyseek = new Polyseek({ url: POLYSEEK_URL, apiKey: POLYSEEK_API_KEY });

/** Searches on the server, so that the API key stays there. */
export default async function Page({ searchParams }) {
  const { q = '' } = await searchParams;
  const { verdict, results } = q ? await polyseek.search(String(q)) : { verdict: 'answered', results: [] };
  return (
    <main>
      <h1>Search</h1>
      <form>
        <input name="q" type="search" aria-label="Question" defaultValue={q} required />
        <button type="submit">Search</button>
      </form>
      {verdict === 'none' && <p>Nothing here matches your question.</p>}
      <ol>
        {results.map(({ id, title, highlight }) => (
          <li key={id}>
            {title}: {highlight.text}
          </li>
        ))}
      </ol>
    </main>
  );
}

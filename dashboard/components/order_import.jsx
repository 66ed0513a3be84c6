/* Orders from a CSV file: chosen or dropped, judged row by row before anything is made, then taken in. */
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";

const MOST_BYTES = 2 * 1024 * 1024;
const count = (n, word) => `${n.toLocaleString("en-GB")} ${word}${n === 1 ? "" : "s"}`;

async function post(path, file) {
  const answer = await fetch(path, {
    method: "POST", body: file, headers: { "content-type": "text/csv", accept: "application/json" },
  });
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  throw new Error(body.detail || body.title || `The server answered ${answer.status}.`);
}

function Faults({ faults, leftOff }) {
  if (!faults.length) return null;
  return (
    <div className="wp-table-box wp-faults" tabIndex={0} role="region" aria-label="Wrong rows">
      <table className="wp-table">
        <thead><tr><th scope="col" className="wp-number">Line</th><th scope="col">Column</th><th scope="col">What is wrong</th></tr></thead>
        <tbody>
          {faults.map((fault, at) => (
            <tr key={at}>
              <td className="wp-number">{fault.line}</td>
              <td>{fault.column ? <code>{fault.column}</code> : <span className="wp-muted">row</span>}</td>
              <td>{fault.detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {leftOff > 0 && <p className="wp-muted wp-panel-body">And {count(leftOff, "more fault")}, not listed.</p>}
    </div>
  );
}

function Sample({ rows }) {
  if (!rows.length) return null;
  const columns = Object.keys(rows[0]);
  const spelled = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
  return (
    <div className="wp-table-box" tabIndex={0} role="region" aria-label="First good rows">
      <table className="wp-table">
        <thead><tr>{columns.map((name) => <th key={name} scope="col">{name.replaceAll("_", " ")}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>{columns.map((name) => <td key={name} className="wp-nowrap">{spelled(row[name])}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Tally({ tone, value, word }) {
  return (
    <div className="wp-tally">
      <span className="wp-state"><span className="wp-shape" data-tone={tone} aria-hidden="true" />{word}</span>
      <strong>{value.toLocaleString("en-GB")}</strong>
    </div>
  );
}

function Preview({ preview, file, busy, onImport, onOther }) {
  const { rows, good, duplicates, faults } = preview;
  const wrong = new Set(faults.map((fault) => fault.line)).size;
  return (
    <section className="wp-panel" aria-label="Preview">
      <div className="wp-panel-head">
        <h2>{file.name}</h2>
        <button type="button" className="wp-button wp-button-small" onClick={onOther}>Another file</button>
      </div>
      <div className="wp-tallies">
        <Tally tone="info" value={rows} word="rows" />
        <Tally tone="good" value={good} word="good" />
        <Tally tone="off" value={duplicates} word="there already" />
        <Tally tone={wrong ? "critical" : "off"} value={wrong} word="wrong" />
      </div>
      {preview.unknown_columns.length > 0 && (
        <p className="wp-panel-body wp-warn">Not read: {preview.unknown_columns.map((name) => <code key={name}> {name}</code>)}. Compare with the template.</p>
      )}
      <Faults faults={faults} leftOff={preview.faults_left_off} />
      {faults.length === 0 && <Sample rows={preview.sample} />}
      <div className="wp-form-end wp-panel-body wp-import-end">
        <span className="wp-muted wp-grow">
          {good === 0
            ? "Mend the file and choose it again: there is no row to take in."
            : wrong ? "The wrong rows are left out. Mend them and import the same file again: orders that are there already stay as they are." : "Nothing is made before you import."}
        </span>
        <button type="button" className="wp-button wp-button-main" disabled={busy || good === 0} onClick={onImport}>
          {busy ? "Importing" : wrong ? `Import the ${count(good, "good row")}` : `Import ${count(good, "order")}`}
        </button>
      </div>
    </section>
  );
}

function Result({ result, onOther }) {
  return (
    <section className="wp-panel" aria-label="Result">
      <div className="wp-panel-head">
        <div role="status"><h2>{count(result.created, "order")} taken in</h2></div>
        <span className="wp-row">
          <Link to="/orders" className="wp-button wp-button-small">To the list</Link>
          <button type="button" className="wp-button wp-button-small" onClick={onOther}>Another file</button>
        </span>
      </div>
      <div className="wp-tallies">
        <Tally tone="good" value={result.created} word="made" />
        <Tally tone="off" value={result.duplicates} word="there already" />
        <Tally tone={result.refused ? "critical" : "off"} value={result.refused} word="refused" />
      </div>
      <Faults faults={result.faults} leftOff={0} />
      {result.numbers.length > 0 && (
        <ul className="wp-numbers wp-panel-body" aria-label="New orders">
          {result.numbers.map((number) => <li key={number}><Link to={`/orders/${number}`} className="wp-code wp-link">{number}</Link></li>)}
        </ul>
      )}
    </section>
  );
}

const cells = (line) => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)]
  .map(([, cell]) => cell.replace(/^"|"$/g, "").replaceAll('""', '"'));

/* What the template holds: every column with its example. */
function Columns({ templatePath }) {
  const [rows, setRows] = useState([]);
  useEffect(() => {
    const control = new AbortController();
    fetch(templatePath, { signal: control.signal })
      .then((answer) => (answer.ok ? answer.text() : ""))
      .then((text) => {
        const [heads = "", example = ""] = text.replace(/^\ufeff/, "").trim().split(/\r?\n/);
        // A spreadsheet's guard before a plus sign is no part of the example.
        const values = cells(example).map((value) => value.replace(/^'(?=[=+@-])/, ""));
        setRows(cells(heads).filter(Boolean).map((name, at) => [name, values[at] ?? ""]));
      }, () => {});
    return () => control.abort();
  }, [templatePath]);
  if (!rows.length) return null;
  return (
    <section className="wp-panel" aria-label="Columns">
      <div className="wp-panel-head"><h2>Columns, each with an example</h2></div>
      <dl className="wp-columns wp-panel-body">
        {rows.map(([name, example]) => (
          <div key={name}><dt><code>{name}</code></dt><dd>{example || <span className="wp-muted">may be empty</span>}</dd></div>
        ))}
      </dl>
    </section>
  );
}

export function OrderImport({ previewPath, importPath, templatePath }) {
  const input = useRef(null);
  const [file, setFile] = useState(null);
  const [preview, setPreview] = useState(null);
  const [result, setResult] = useState(null);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);

  const forget = () => {
    setFile(null);
    setPreview(null);
    setResult(null);
    setFault("");
    if (input.current) input.current.value = "";
  };
  const run = async (work) => {
    setBusy(true);
    setFault("");
    try {
      await work();
    } catch (error) {
      setFault(error.message);
    } finally {
      setBusy(false);
    }
  };
  const take = (chosen) => {
    if (!chosen) return;
    forget();
    setFile(chosen);
    if (chosen.size > MOST_BYTES) {
      setFault("The file is larger than 2 MB. Split it and import the parts one after the other.");
      return;
    }
    run(async () => setPreview(await post(previewPath, chosen)));
  };
  const bring = () => run(async () => {
    setResult(await post(`${importPath}?skip_wrong=true`, file));
    setPreview(null);
  });

  return (
    <div className="wp-stack">
      {!preview && !result && (
        <section
          className="wp-panel wp-drop" data-over={over || undefined} aria-label="Choose a file" aria-busy={busy}
          onDragOver={(event) => { event.preventDefault(); setOver(true); }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => { event.preventDefault(); setOver(false); take(event.dataTransfer.files[0]); }}
        >
          <strong>{busy ? `Reading ${file?.name}` : "Drop a CSV file here, or choose one"}</strong>
          <span className="wp-muted">One order a line, up to 5,000. Every row is judged before anything is made.</span>
          <span className="wp-row">
            <button type="button" className="wp-button wp-button-main" disabled={busy} onClick={() => input.current.click()}>Choose a file</button>
            <a href={templatePath} download className="wp-button">Download the template</a>
          </span>
          <input
            ref={input} type="file" accept=".csv,text/csv" aria-label="CSV file with orders" className="wp-hidden-words"
            onChange={(event) => take(event.target.files[0])} tabIndex={-1}
          />
        </section>
      )}
      <div role="alert">
        {fault && (
          <div className="wp-trouble">
            <span className="wp-shape" data-tone="critical" aria-hidden="true" />
            <span className="wp-grow">{fault}</span>
            <button type="button" className="wp-button wp-button-small" onClick={forget}>Another file</button>
          </div>
        )}
      </div>
      {!preview && !result && <Columns templatePath={templatePath} />}
      {preview && <Preview preview={preview} file={file} busy={busy} onImport={bring} onOther={forget} />}
      {result && <Result result={result} onOther={forget} />}
    </div>
  );
}

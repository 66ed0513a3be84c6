/* Asks for the reason of a deed that the history keeps, with the usual ones at hand. */
import { useEffect, useRef, useState } from "react";

/* `question` is { title, words, button, reasons, risk, act(reason) } or null. */
export function Ask({ question, onClose }) {
  const dialog = useRef(null);
  const input = useRef(null);
  const [reason, setReason] = useState("");
  useEffect(() => {
    if (!question) {
      dialog.current?.close();
      return;
    }
    setReason("");
    dialog.current?.showModal();
    input.current?.focus();
  }, [question]);
  const send = (event) => {
    event.preventDefault();
    if (reason.trim().length < 3) return;
    onClose();
    question.act(reason.trim());
  };
  return (
    <dialog ref={dialog} className="wp-dialog wpb-ask" aria-labelledby="wpb-ask-title" onClose={onClose}>
      {question && (
        <form onSubmit={send}>
          <h2 id="wpb-ask-title">{question.title}</h2>
          {question.words && <p className="wp-muted">{question.words}</p>}
          <div className="wp-chips">
            {question.reasons.map((each) => (
              <button key={each} type="button" className="wp-chip" aria-pressed={reason === each} onClick={() => setReason(each)}>{each}</button>
            ))}
          </div>
          <label className="wp-field"><span>Reason</span>
            <input ref={input} className="wp-input" value={reason} onChange={(event) => setReason(event.target.value)} maxLength={300} autoComplete="off" required minLength={3} />
          </label>
          <div className="wp-form-end">
            <button type="button" className="wp-button" onClick={onClose}>Keep as it is</button>
            <button type="submit" className={`wp-button ${question.risk ? "wp-button-risk" : "wp-button-main"}`} disabled={reason.trim().length < 3}>{question.button}</button>
          </div>
        </form>
      )}
    </dialog>
  );
}

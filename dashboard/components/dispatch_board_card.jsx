/* The chosen order over the map: what it is, what can be done with it, and why this driver. */
import { minutesOf } from "./dispatch_board_drivers.jsx";
import { clockOf, lateness, spanOf, useNow } from "./dispatch_board_time.js";

export function OrderCard({ board }) {
  const order = board.chosenOrder;
  const now = useNow();
  if (!order) return null;
  const { tone, word } = lateness(order, now);
  const note = board.notes[order.id];
  return (
    <section className="wpb-card" aria-label={`Order ${order.number}`}>
      <header className="wpb-card-head">
        <h2><a href={`/orders/${order.number}`}>{order.number}</a></h2>
        <span className="wp-state" data-tone={tone}><span className="wp-shape" data-tone={tone} aria-hidden="true" />{word}</span>
        <span className="wp-muted">promised {clockOf(order.due, board.zone)}</span>
        <button type="button" className="wp-button wp-button-small wp-button-quiet" aria-expanded={board.whyOpen} onClick={() => board.setWhyOpen(!board.whyOpen)}>Why <kbd>w</kbd></button>
        <button type="button" className="wp-icon-button" aria-label="Let go of the order" onClick={board.letGo}>
          <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true"><path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" /></svg>
        </button>
      </header>
      <p className="wpb-ends">
        <span className="wpb-end" data-end="pickup" aria-hidden="true" /><span className="wp-hidden-words">Pickup</span><span className="wp-clip" title={order.pickup}>{order.pickup}</span>
        <span className="wpb-end" data-end="drop" aria-hidden="true" /><span className="wp-hidden-words">Drop</span><span className="wp-clip" title={order.drop}>{order.drop}</span>
      </p>
      <p className="wpb-facts">{[order.service, order.load, order.needs, order.pay, order.window].filter(Boolean).join(" · ")}</p>
      {order.note && <p className="wpb-facts">{order.note}</p>}
      {note && <p className="wpb-note" data-tone={note.tone} role={note.tone === "critical" ? "alert" : undefined}><span className="wp-shape" data-tone={note.tone} aria-hidden="true" />{note.words}</p>}
      <Actions board={board} order={order} />
      {board.whyOpen && <Why board={board} order={order} />}
    </section>
  );
}

function Actions({ board, order }) {
  const { may, target } = board;
  const before = ["created", "ready", "assigned", "accepted", "at_pickup"].includes(order.state);
  const carried = ["assigned", "accepted", "at_pickup"].includes(order.state);
  const busy = Boolean(board.pending[order.id]);
  const button = (words, key, act, allowed, shown = true, kind = "") => shown && (
    <button type="button" className={`wp-button wp-button-small ${kind}`} disabled={!allowed || busy} onClick={act}>{words} <kbd>{key}</kbd></button>
  );
  return (
    <div className="wpb-actions">
      {before && order.state !== "created" && button(target ? `${carried ? "Reassign" : "Assign"} to ${target.code}` : "Assign", "a", board.assign, may.assign && Boolean(target), true, "wp-button-main")}
      {button("Unassign", "u", board.unassign, may.assign, carried)}
      {button("Release", "h", board.release, may.hold, order.state === "on_hold", "wp-button-main")}
      {button("Hold", "h", board.hold, may.hold, order.state !== "on_hold")}
      {button(carried ? "Re-dispatch" : "Match now", "r", board.redispatch, may.assign, before)}
      {button("Cancel", "c", board.cancel, may.cancel, before || order.state === "on_hold", "wp-button-risk")}
    </div>
  );
}

const signed = (seconds) => (seconds === null ? "" : `${seconds < 0 ? "−" : "+"}${Math.abs(seconds / 60).toFixed(1)}`);

/* The newest decision of matching: who was considered, at which cost, and who could not and why. */
function Why({ board, order }) {
  const { why, offers } = board.detail;
  if (board.detail.id !== order.id) return <p className="wpb-facts"><span className="wp-bone" style={{ width: "70%" }} /></p>;
  return (
    <div className="wpb-why">
      {why.at === 0 ? <p className="wp-muted">Nobody has been considered for this order yet.</p> : (
        <>
          <h3>{why.chosen ? `Why ${why.chosen}?` : "Why nobody?"} <span className="wp-muted">{why.made_by}, {clockOf(why.at, board.zone)}, of {why.considered} considered</span></h3>
          <div className="wpb-why-box" tabIndex={0} role="region" aria-label="Candidates">
            <table>
              <thead><tr><th scope="col">Candidate</th><th scope="col">To pickup</th><th scope="col">Late risk</th><th scope="col">Fairness</th><th scope="col">Battery</th><th scope="col">Cost, min</th></tr></thead>
              <tbody>
                {why.candidates.map((each) => (
                  <tr key={each.code} data-chosen={each.code === why.chosen ? "" : undefined} data-unfit={each.unfit ? "" : undefined}>
                    <th scope="row">{each.code}</th>
                    {each.unfit ? <td colSpan={5}>{each.unfit}</td> : (
                      <>
                        <td>{minutesOf(each.travel_s)}</td><td>{signed(each.lateness)}</td><td>{signed(each.fairness)}</td><td>{signed(each.battery)}</td>
                        <td>{(each.total / 60).toFixed(1)}</td>
                      </>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {why.excluded && <p className="wp-muted">Left out: {why.excluded}</p>}
        </>
      )}
      {offers.length > 0 && <ul className="wpb-offers" aria-label="Offers">{offers.map((each) => <OfferLine key={each.id} offer={each} zone={board.zone} />)}</ul>}
    </div>
  );
}

const OFFER_TONES = { open: "info", accepted: "good", rejected: "critical", expired: "warning", withdrawn: "off" };

function OfferLine({ offer, zone }) {
  const now = useNow();
  const open = offer.state === "open" && offer.until > now;
  return (
    <li>
      <span className="wp-shape" data-tone={OFFER_TONES[offer.state]} aria-hidden="true" />
      offered to {offer.code} at {clockOf(offer.at, zone)}, {open ? `${spanOf(offer.until - now)} left` : offer.state}{offer.reason ? `: ${offer.reason}` : ""}
    </li>
  );
}

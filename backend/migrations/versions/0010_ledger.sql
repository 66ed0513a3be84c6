CREATE FUNCTION payments_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER payments_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_entry
  FOR EACH STATEMENT EXECUTE FUNCTION payments_append_only();

CREATE TRIGGER payments_transfer_stays BEFORE DELETE OR TRUNCATE ON payments_transfer
  FOR EACH STATEMENT EXECUTE FUNCTION payments_append_only();

CREATE TRIGGER payments_transfer_resolved_once BEFORE UPDATE ON payments_transfer
  FOR EACH ROW WHEN (
    OLD.state <> 'pending'
    OR (OLD.id, OLD.debit, OLD.credit, OLD.amount, OLD.currency, OLD.kind, OLD.two_phase, OLD.created_at)
      IS DISTINCT FROM
      (NEW.id, NEW.debit, NEW.credit, NEW.amount, NEW.currency, NEW.kind, NEW.two_phase, NEW.created_at)
    OR (OLD.order_number, OLD.reference, OLD.corrects, OLD.expires_at)
      IS DISTINCT FROM (NEW.order_number, NEW.reference, NEW.corrects, NEW.expires_at)
  ) EXECUTE FUNCTION payments_append_only();

CREATE TRIGGER payments_account_stays BEFORE DELETE OR TRUNCATE ON payments_account
  FOR EACH STATEMENT EXECUTE FUNCTION payments_append_only();

CREATE TRIGGER payments_account_is_itself
  BEFORE UPDATE OF id, kind, owner, region, currency, floored, hot ON payments_account
  FOR EACH STATEMENT EXECUTE FUNCTION payments_append_only();

-- The first field in which a transfer that is known differs from one that is asked for, or NULL.
CREATE FUNCTION payments_difference_of(known payments_transfer, asked payments_transfer)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN known.debit <> asked.debit THEN 'debit'
    WHEN known.credit <> asked.credit THEN 'credit'
    WHEN known.amount <> asked.amount THEN 'amount'
    WHEN known.currency <> asked.currency THEN 'currency'
    WHEN known.kind <> asked.kind THEN 'kind'
    WHEN known.two_phase <> asked.two_phase THEN 'two_phase'
    WHEN known.order_number IS DISTINCT FROM asked.order_number THEN 'order_number'
    WHEN known.reference IS DISTINCT FROM asked.reference THEN 'reference'
    WHEN known.corrects IS DISTINCT FROM asked.corrects THEN 'corrects'
    WHEN known.expires_at IS DISTINCT FROM asked.expires_at THEN 'expires_at'
  END
$$;

-- Books a batch in order and answers one row for each item: its outcome and, where refused, why.
-- An item is a transfer to post or to hold, or a held one to settle, void or expire.
-- Locks: names of transfers, new accounts, accounts, each in one order, so that no two batches wait
-- for each other in a ring. The names come first: only then is it certain which accounts a held
-- transfer touches. Hot accounts are not locked at all.
CREATE FUNCTION payments_book(accounts jsonb, items jsonb)
RETURNS TABLE (place bigint, outcome text, why text) LANGUAGE plpgsql AS $$
DECLARE
  item record;
  asked payments_transfer;
  known payments_transfer;
  giver payments_account;
  taker payments_account;
  touched uuid[];
  moved bigint;
  moment timestamptz;
BEGIN
  IF jsonb_array_length(items) = 1 AND items->0->>'corrects' IS NULL THEN
    PERFORM pg_advisory_xact_lock(7007, hashtext(items->0->>'id'));
    touched := ARRAY[(items->0->>'debit')::uuid, (items->0->>'credit')::uuid];
  ELSE
    PERFORM pg_advisory_xact_lock(7007, h) FROM (
      SELECT DISTINCT hashtext(named) AS h
      FROM jsonb_array_elements(items) AS i, unnest(ARRAY[i->>'id', i->>'corrects']) AS named
      WHERE named IS NOT NULL ORDER BY h) AS ids;
    touched := ARRAY(
      SELECT DISTINCT named FROM jsonb_array_elements(items) AS i,
        unnest(ARRAY[(i->>'debit')::uuid, (i->>'credit')::uuid]) AS named
      WHERE named IS NOT NULL);
  END IF;
  IF (SELECT count(*) FROM payments_account WHERE id = ANY(touched))
    < jsonb_array_length(accounts) THEN
    INSERT INTO payments_account (id, kind, owner, region, currency, floored, hot, opened_at)
      SELECT a.id, a.kind, a.owner, a.region, a.currency, a.floored, a.hot, clock_timestamp()
      FROM jsonb_to_recordset(accounts) AS a(
        id uuid, kind text, owner text, region text, currency text, floored boolean, hot boolean)
      ORDER BY a.id
      ON CONFLICT DO NOTHING;
  END IF;
  IF jsonb_path_exists(items, '$[*].op ? (@ != "post" && @ != "hold")') THEN
    touched := touched || ARRAY(
      SELECT unnest(ARRAY[t.debit, t.credit]) FROM jsonb_array_elements(items) AS i
      JOIN payments_transfer t ON t.id = (i->>'id')::uuid);
  END IF;
  PERFORM FROM payments_account WHERE id = ANY(touched) AND NOT hot ORDER BY id FOR NO KEY UPDATE;
  FOR item IN
    SELECT * FROM ROWS FROM (jsonb_to_recordset(items) AS (
      op text, id uuid, debit uuid, credit uuid, amount bigint, currency text, kind text,
      order_number text, reference text, corrects uuid, expires_at timestamptz
    )) WITH ORDINALITY AS r(
      op, id, debit, credit, amount, currency, kind, order_number, reference, corrects,
      expires_at, place)
  LOOP
    place := item.place;
    outcome := 'refused';
    moment := clock_timestamp();
    IF item.op IN ('post', 'hold') THEN
      asked := ROW(
        item.id, item.debit, item.credit, item.amount, item.currency, item.kind,
        CASE item.op WHEN 'post' THEN 'posted' ELSE 'pending' END, item.op = 'hold',
        CASE item.op WHEN 'post' THEN item.amount ELSE 0 END, item.order_number, item.reference,
        item.corrects, item.expires_at, moment, CASE item.op WHEN 'post' THEN moment END);
      SELECT * INTO known FROM payments_transfer t WHERE t.id = item.id;
      IF FOUND THEN
        why := payments_difference_of(known, asked);
        outcome := CASE WHEN why IS NULL THEN 'duplicate' ELSE 'differs' END;
        RETURN NEXT;
        CONTINUE;
      END IF;
      SELECT * INTO giver FROM payments_account a WHERE a.id = item.debit;
      SELECT * INTO taker FROM payments_account a WHERE a.id = item.credit;
      why := CASE
        WHEN giver.id IS NULL OR taker.id IS NULL THEN 'unknown_account'
        WHEN giver.id = taker.id THEN 'same_account'
        WHEN giver.currency <> item.currency OR taker.currency <> item.currency THEN 'currency'
        WHEN item.amount IS NULL OR item.amount NOT BETWEEN 1 AND 1000000000000000 THEN 'amount'
        WHEN giver.floored AND giver.balance - giver.held < item.amount THEN 'insufficient'
        WHEN abs(taker.balance) + item.amount > 1000000000000000000
          OR abs(giver.balance) + item.amount > 1000000000000000000 THEN 'overflow'
      END;
      IF why IS NULL AND item.corrects IS NOT NULL THEN
        SELECT * INTO known FROM payments_transfer t WHERE t.id = item.corrects;
        why := CASE
          WHEN known.id IS NULL THEN 'unknown_transfer'
          WHEN known.state <> 'posted' THEN 'not_posted'
          WHEN known.posted < item.amount + (
            SELECT coalesce(sum(t.amount), 0) FROM payments_transfer t
            WHERE t.corrects = item.corrects) THEN 'over_corrected'
        END;
      END IF;
      IF why IS NOT NULL THEN
        RETURN NEXT;
        CONTINUE;
      END IF;
      INSERT INTO payments_transfer SELECT asked.*;
      moved := asked.posted;
      IF item.op = 'hold' AND NOT giver.hot THEN
        UPDATE payments_account SET held = held + item.amount WHERE id = giver.id;
      END IF;
    ELSE
      SELECT * INTO known FROM payments_transfer t WHERE t.id = item.id;
      moved := CASE item.op WHEN 'settle' THEN coalesce(item.amount, known.amount) ELSE 0 END;
      asked.state := CASE item.op
        WHEN 'settle' THEN 'posted' WHEN 'void' THEN 'voided' WHEN 'expire' THEN 'expired' END;
      why := CASE
        WHEN known.id IS NULL THEN 'unknown_transfer'
        WHEN known.state = asked.state AND known.posted = moved AND known.two_phase THEN 'again'
        WHEN known.state <> 'pending' THEN 'already_' || known.state
        WHEN item.op = 'settle' AND moved NOT BETWEEN 1 AND known.amount THEN 'amount'
        WHEN item.op = 'expire' AND (known.expires_at IS NULL OR known.expires_at > moment)
          THEN 'not_due'
        WHEN item.op = 'settle' AND known.expires_at <= moment THEN 'due'
      END;
      IF why IS NOT NULL AND why <> 'due' THEN
        IF why = 'again' THEN
          outcome := 'duplicate';
          why := NULL;
        END IF;
        RETURN NEXT;
        CONTINUE;
      END IF;
      IF why = 'due' THEN
        -- Nobody expired it yet, and nobody may settle it any more.
        asked.state := 'expired';
        moved := 0;
      END IF;
      UPDATE payments_transfer SET state = asked.state, posted = moved, resolved_at = moment
        WHERE id = known.id;
      UPDATE payments_account SET held = held - known.amount WHERE id = known.debit AND NOT hot;
      IF why = 'due' THEN
        why := 'already_expired';
        RETURN NEXT;
        CONTINUE;
      END IF;
      asked.debit := known.debit;
      asked.credit := known.credit;
    END IF;
    IF moved > 0 THEN
      UPDATE payments_account SET balance = balance - moved, version = version + 1
        WHERE id = asked.debit AND NOT hot RETURNING * INTO giver;
      IF NOT FOUND THEN giver := NULL; END IF;
      UPDATE payments_account SET balance = balance + moved, version = version + 1
        WHERE id = asked.credit AND NOT hot RETURNING * INTO taker;
      IF NOT FOUND THEN taker := NULL; END IF;
      INSERT INTO payments_entry (account_id, transfer_id, amount, balance, version, at) VALUES
        (asked.debit, item.id, -moved, giver.balance, giver.version, moment),
        (asked.credit, item.id, moved, taker.balance, taker.version, moment);
    END IF;
    outcome := 'done';
    why := NULL;
    RETURN NEXT;
  END LOOP;
END $$;

-- What each account holds now; of a hot one, from its last sum and the entries after it.
CREATE FUNCTION payments_balances(ids uuid[], until timestamptz DEFAULT NULL)
RETURNS TABLE (account_id uuid, balance numeric, entries numeric) LANGUAGE sql STABLE AS $$
  SELECT a.id,
    CASE WHEN a.hot THEN coalesce(s.balance, 0) + coalesce(e.amount, 0)
      WHEN until IS NULL THEN a.balance
      ELSE coalesce(past.balance, 0) END,
    CASE WHEN a.hot THEN coalesce(s.entries, 0) + coalesce(e.entries, 0)
      WHEN until IS NULL THEN a.version
      ELSE coalesce(past.version, 0) END
  FROM payments_account a
  LEFT JOIN LATERAL (
    SELECT * FROM payments_snapshot
    WHERE payments_snapshot.account_id = a.id AND (until IS NULL OR taken_at <= until)
    ORDER BY through_seq DESC LIMIT 1) s ON a.hot
  LEFT JOIN LATERAL (
    SELECT sum(amount) AS amount, count(*) AS entries FROM payments_entry
    WHERE payments_entry.account_id = a.id AND seq > coalesce(s.through_seq, 0)
      AND (until IS NULL OR at <= until)) e ON a.hot
  LEFT JOIN LATERAL (
    SELECT payments_entry.balance, payments_entry.version FROM payments_entry
    WHERE payments_entry.account_id = a.id AND at <= until
    ORDER BY seq DESC LIMIT 1) past ON NOT a.hot AND until IS NOT NULL
  WHERE a.id = ANY(ids)
$$;

"""Mail through the server of the settings, to people of the company and to customers."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from backend.notifications.channels.protocol import TIMEOUT_S, Answer, Letter, Outcome
from backend.platform.errors import reason


class Mail:
    """Messages as mail."""

    name = "smtp"

    def __init__(self, smtp_url: str, sender: str) -> None:
        self._smtp_url = smtp_url
        self._sender = sender

    async def send(self, letter: Letter) -> Answer:
        """Hand a mail over."""
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = letter.address
        mail["Subject"] = " ".join(letter.subject.split())
        mail["Message-ID"] = f"<{letter.id}@waypost>"
        mail["Content-Language"] = letter.language
        # So that no answering machine answers it.
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        return await asyncio.to_thread(hand_over, self._smtp_url, mail)

    async def close(self) -> None:
        """Nothing is held open."""


def hand_over(smtp_url: str, mail: EmailMessage) -> Answer:
    """Hand a mail over to the server; 5xx is final, all else is not."""
    server = urlsplit(smtp_url)
    host, secure = server.hostname or "localhost", server.scheme == "smtps"
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    try:
        with kind(host, server.port or (465 if secure else 25), timeout=TIMEOUT_S) as smtp:
            if not secure and smtp.has_extn("starttls"):
                smtp.starttls()
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            smtp.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()), (553, b"that there is no address"))
        return _refused(code, said)
    except smtplib.SMTPAuthenticationError as error:
        return Answer(Outcome.LATER, f"The mail server answered {error.smtp_code} to our name")
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        return Answer(Outcome.LATER, reason(error))
    return Answer(Outcome.SENT)


def _refused(code: int, said: bytes | str) -> Answer:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    outcome = Outcome.NEVER if code >= 500 else Outcome.LATER
    return Answer(outcome, f"The mail server answered {code} {words}")

"""The messages of a room as they are now: what changes them is folded in, each change once."""


class Messages:
    def __init__(self) -> None:
        self.shown: dict[str, dict] = {}  # by cursor

    def take(self, type: str, payload: dict) -> None:
        if type == "chat_message":
            self.show(payload)
        elif message := self.shown.get(payload["message"]):
            # What came before the message did is in it.
            if payload["cursor"] > message.get("changed", ""):
                self.show(fold(message, payload), "~ ")

    def show(self, message: dict, sign: str = "") -> None:
        self.shown[message["cursor"]] = message
        reactions = "".join(f" {it['emoji']}{it['count']}" for it in message.get("reactions", []))
        print(f"{sign}{message['user']}: {message.get('text', '(deleted)')}{reactions}", flush=True)


def fold(message: dict, change: dict) -> dict:
    changed = message | {"changed": change["cursor"]}
    match change["kind"]:
        case "edit":  # what it leaves out stays
            return changed | {key: change[key] for key in ("text", "data") if key in change}
        case "delete":
            return {key: changed[key] for key in ("cursor", "user", "at", "changed")}
        case "reaction":
            counts = {it["emoji"]: it["count"] for it in message.get("reactions", [])}
            emoji = change["emoji"]
            counts[emoji] = counts.get(emoji, 0) + (1 if change["status"] else -1)
            reactions = [{"emoji": it, "count": n} for it, n in counts.items() if n > 0]
            return changed | {"reactions": reactions}
    return changed  # of a kind that comes later

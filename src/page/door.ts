/**
 * The form where a name and a room are chosen.
 *
 * @module
 */

import { decodeRoom, decodeUser } from "../protocol/mod.ts";
import { find, setText } from "./elements.ts";

/** A user and the room to enter. */
export interface Entrance {
  /** The name, as the room will show it. */
  readonly user: string;
  /** The room's name. */
  readonly room: string;
}

/** The options of {@linkcode openDoor}. */
export interface DoorOptions extends Entrance {
  /** Called with a name and a room that the server will take. */
  readonly onEnter: (entrance: Entrance) => void;
}

/**
 * Shows the form for entering a room.
 *
 * @param options What is in the fields at first, and what to call then.
 */
export function openDoor({ user, room, onEnter }: DoorOptions): void {
  const door = find("door", HTMLElement);
  const userField = find("door-user", HTMLInputElement);
  const roomField = find("door-room", HTMLInputElement);
  userField.value = user;
  roomField.value = room;
  find("door-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const namedUser = decodeUser(userField.value);
    const namedRoom = decodeRoom(roomNameOf(roomField.value));
    showProblem(userField, namedUser.ok ? undefined : namedUser.error.message);
    showProblem(roomField, namedRoom.ok ? undefined : namedRoom.error.message);
    if (!namedUser.ok) return userField.focus();
    if (!namedRoom.ok) return roomField.focus();
    door.hidden = true;
    onEnter({ user: namedUser.user, room: namedRoom.room });
  });
  door.hidden = false;
  (user === "" ? userField : roomField).focus();
}

/** What people write when they mean a room: `#tea`, `tea corner`. */
function roomNameOf(text: string): string {
  return text.trim().replace(/^#/, "").replace(/\s+/g, "-");
}

function showProblem(field: HTMLInputElement, problem: string | undefined): void {
  field.setAttribute("aria-invalid", String(problem !== undefined));
  setText(find(`${field.id}-problem`, HTMLElement), problem === undefined ? "" : `${problem}.`);
}

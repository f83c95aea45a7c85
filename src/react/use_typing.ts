/**
 * Who is typing, in a component.
 *
 * @module
 */

// @ts-types="npm:@types/react@^19"
import { useCallback, useEffect, useSyncExternalStore } from "npm:react@^19";
import { useChatClient } from "./chat_context.ts";

/** Who is typing in a room, the user included. */
export interface TypingInUse {
  /** The other users who are typing, sorted. */
  readonly typing: readonly string[];
  /**
   * Shows the others that the user is typing: call it for each keystroke, and with false where the
   * text was cleared. A message that is sent ends it, and so does the end of the component.
   */
  readonly setTyping: (isTyping?: boolean) => void;
}

const NOBODY: readonly string[] = Object.freeze([]);

/**
 * Gives who is typing in a room, and shows the others when the user is. The component is rendered
 * again when that changes, not with each message; the room is joined as by `useRoom`.
 *
 * @param name The room's name.
 * @returns Who is typing, and what shows that the user is.
 * @throws {TypeError} Where the name is none.
 * @throws {Error} Where there is no {@linkcode ChatProvider} above.
 *
 * @example
 * ```ts
 * import { useTyping } from "@hubbub/hub/react";
 * import { createElement } from "react";
 *
 * export function Field({ name }: { name: string }) {
 *   const { typing, setTyping } = useTyping(name);
 *   const input = createElement("input", { onInput: () => setTyping() });
 *   return createElement("label", {}, input, typing.length > 0 && `${typing.join(", ")} typing…`);
 * }
 * ```
 */
export function useTyping(name: string): TypingInUse {
  const room = useChatClient().room(name);
  const typing = useSyncExternalStore(room.subscribe, () => room.snapshot.typing, () => NOBODY);
  const setTyping = useCallback((isTyping?: boolean) => room.typing(isTyping), [room]);
  useEffect(() => () => room.typing(false), [room]);
  return { typing, setTyping };
}

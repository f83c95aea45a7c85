import { type ChatClient, createClient } from "@hubbub/client";
import { useEffect, useState } from "react";

/** A connection for a user; none while nobody has signed in. */
export function useClient(user: string): ChatClient | undefined {
  const [client, setClient] = useState<ChatClient>();
  useEffect(() => {
    if (user === "") return;
    // Asked again whenever a token has expired.
    const token = async () => {
      const response = await fetch("/token", {
        method: "POST",
        body: JSON.stringify({ user }),
      });
      return await response.text();
    };
    const made = createClient(new URL("/chat", location.href), {
      token,
      storage: localStorage,
    });
    setClient(made);
    return () => {
      made.close();
      setClient(undefined);
    };
  }, [user]);
  return client;
}

export function SignIn({ onSignIn }: { onSignIn: (name: string) => void }) {
  return (
    <form
      className="sign-in"
      action={(data) => onSignIn(String(data.get("name")).trim())}
    >
      <h1>Hubbub in React</h1>
      <label>
        Your name
        <input name="name" required maxLength={32} autoFocus />
      </label>
      <button>Sign in</button>
    </form>
  );
}

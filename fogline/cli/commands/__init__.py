"""Commands and their flags, a module a subject. What a command does is imported when it runs, so that help is quick."""

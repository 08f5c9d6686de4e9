@rem The npm scripts say "exec node ..." so that sh becomes Node and signals sent to npm reach the server:
@rem without it Debian's sh stays in between, dies of SIGTERM alone and leaves the server behind.
@rem Windows has neither that trouble nor that command; this file is it there.
@%*

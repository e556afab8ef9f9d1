# What a shell has to say of scripts, without running them.
for script in "$@"; do
  sh -n "$script" && echo "$script: fine"
done

said=$(sh /tmp/greet.sh)
if [ "$said" = "hello, world" ]; then
  echo "ok 1 - greets"
else
  echo "not ok 1 - greets: $said"
  exit 1
fi

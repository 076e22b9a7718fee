{-# external_resources: {x: {y: "0x00"}} #-}

package outbox

import (
	"time"
)

func (o *Outbox) Submit(draft string) error {
	slowNotice := time.AfterFunc(5*time.Second, func() {
		o.toast.Warn("Delivery could not be confirmed")
	})

	if err := o.deliver(draft); err != nil {
		o.toast.Error(err.Error())
		return err
	}
	slowNotice.Stop()
	return nil
}
